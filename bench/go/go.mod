// SPDX-License-Identifier: MIT
module dusk/bench

go 1.19
