/* SPDX-License-Identifier: MIT */
/* Test of lab/heap/objects.c and json.c: what a snapshot says is read, in
 * whatever way JSON allows, and a damaged one is an answer. */
#include "../unit/unit.h"

#include "lab/heap/objects.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[64];
static char message[512];

/* The least that is a snapshot: a root, and an object named by it. */
#define META                                                                   \
  "\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\","         \
  "\"edge_count\"],\"node_types\":[[\"object\",\"synthetic\",\"native\"],"     \
  "\"string\",\"number\"],\"edge_fields\":[\"type\",\"name_or_index\","        \
  "\"to_node\"],\"edge_types\":[[\"weak\",\"element\",\"shortcut\"],"          \
  "\"node\"]}"
#define HEAD "{\"snapshot\":{" META ",\"node_count\":2,\"edge_count\":1},"
#define NODES "\"nodes\":[1,0,1,0,1, 0,1,3,48,0],"
#define EDGES "\"edges\":[1,7,5],"
#define STRINGS "\"strings\":[\"\",\"n\"]}"

static void setup(void)
{
  snprintf(path, sizeof path, "/tmp/dusk-objects.%ld", (long)getpid());
}

static void teardown(void)
{
  unlink(path);
}

static bool reads(const char *text, struct objects *objects)
{
  unlink(path); /* a new one: some systems write out what is overwritten */
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  fputs(text, file);
  fclose(file);
  return objects_read(path, objects, message, sizeof message);
}

START_TEST(a_snapshot_is_read)
{
  struct objects objects;
  ck_assert_msg(reads(HEAD NODES EDGES STRINGS, &objects), "%s", message);
  ck_assert_uint_eq(objects.node_count, 2);
  ck_assert_uint_eq(objects.edge_count, 1);
  ck_assert_uint_eq(objects.nodes[1].id, 3);
  ck_assert_uint_eq(objects.nodes[1].bytes, 48);
  ck_assert_str_eq(objects_name(&objects, 1), "n");
  ck_assert_uint_eq(objects.nodes[0].edge_count, 1);
  ck_assert_uint_eq(objects.edges[0].to, 1);
  ck_assert_uint_eq(objects.nodes[0].type, objects.synthetic);
  ck_assert_uint_eq(objects.weak, 0);
  ck_assert_uint_eq(objects.shortcut, 2);
  objects_free(&objects);
}
END_TEST

START_TEST(blanks_and_what_is_not_known_do_no_harm)
{
  struct objects objects;
  ck_assert_msg(reads("\n { \"more\" : {\"a\":[1,[],{}],\"b\":-1.5e3,\"c\":"
                      "null},\n" HEAD "\"x\":[true,false],",
                      &objects) == false,
                "two objects are one too many");
  ck_assert_msg(reads("\t{\"before\":[ ] , " /* the head without its brace */
                      "\"snapshot\" : { \"node_count\":2 , " META
                      " ,\"edge_count\":1,\"extra\":{\"y\":\"\\u00e9\"}},\n"
                      "\"samples\":[],\"trace_tree\":[1,0,[]],\r\n" NODES
                      "\"locations\":[1,2,3,4]," EDGES STRINGS " \n",
                      &objects),
                "%s", message);
  objects_free(&objects);
}
END_TEST

START_TEST(escapes_are_characters)
{
  struct objects objects;
  ck_assert_msg(reads(HEAD NODES EDGES "\"strings\":[\"\",\"\\\"\\\\\\/"
                                       "\\u0041\\u00e9\\u20AC\\ud83d\\ude00"
                                       "\\n\"]}",
                      &objects),
                "%s", message);
  ck_assert_str_eq(objects_name(&objects, 1),
                   "\"\\/A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n");
  objects_free(&objects);
}
END_TEST

static const struct {
  const char *text;
  const char *expected;
} damaged[] = {
    {"", "an object"},
    {"nonsense", "an object"},
    {"{}", "all nodes and edges"},
    {"{\"nodes\":[1]}", "the head first"},
    {HEAD NODES, "a string"},
    {HEAD NODES EDGES "\"strings\":[\"\"]}", "a string for each node"},
    {HEAD NODES EDGES "\"strings\":[\"\",\"n", "the end of a string"},
    {HEAD NODES EDGES STRINGS "x", "the end of the file"},
    {HEAD NODES STRINGS, "all nodes and edges"},
    {HEAD "\"nodes\":[1,0,1,0,1, 0,1,3,48]," EDGES STRINGS, "a whole record"},
    {HEAD "\"nodes\":[1,0,1,0,2, 0,1,3,48,0]," EDGES STRINGS,
     "no more edges than the head says"},
    {HEAD "\"nodes\":[1,0,1,0,0, 0,1,3,48,0]," EDGES STRINGS,
     "as many edges as the head says"},
    {HEAD "\"nodes\":[1,0,1,0,1, 0,1,3,48,0, 0,1,5,48,0]," EDGES STRINGS,
     "no more nodes than the head says"},
    {HEAD NODES "\"edges\":[1,7,4]," STRINGS, "an edge to a node"},
    {HEAD NODES "\"edges\":[1,7,10]," STRINGS, "an edge to a node"},
    {HEAD NODES "\"edges\":[1,7,5,1,7,5]," STRINGS,
     "no more edges than the head says"},
    {HEAD NODES "\"edges\":[1,-7,5]," STRINGS, "a whole number"},
    {HEAD NODES "\"edges\":[1,7 5]," STRINGS, "a comma or the end"},
    {HEAD NODES "\"edges\":[99999999999999999999,7,5]," STRINGS,
     "a smaller number"},
    {HEAD HEAD, "a string"},
    {"{\"snapshot\":{\"node_count\":2,\"edge_count\":1}}",
     "all fields of a node"},
    {"{\"snapshot\":{" META ",\"edge_count\":1}}", "a sensible count of nodes"},
    {HEAD NODES EDGES "\"strings\":[\"\\q\"]}", "an escape that JSON has"},
    {HEAD NODES EDGES "\"strings\":[\"\\u12g4\"]}", "four hexadecimal digits"},
};

START_TEST(a_damaged_one_is_an_answer)
{
  struct objects objects;
  ck_assert(!reads(damaged[_i].text, &objects));
  ck_assert_msg(strstr(message, damaged[_i].expected), "%s", message);
  ck_assert_msg(strstr(message, path), "%s", message);
}
END_TEST

/* Cut anywhere. */
START_TEST(a_part_is_an_answer)
{
  static const char whole[] = HEAD NODES EDGES STRINGS;
  char text[sizeof whole];
  for (size_t i = 0; i < sizeof whole - 1; i++) {
    struct objects objects;
    memcpy(text, whole, i);
    text[i] = '\0';
    ck_assert_msg(!reads(text, &objects), "%zu bytes are enough", i);
  }
}
END_TEST

START_TEST(nesting_without_end_is_an_answer)
{
  struct objects objects;
  char text[10000] = "{\"x\":";
  memset(text + 5, '[', sizeof text - 6);
  ck_assert(!reads(text, &objects));
  ck_assert_msg(strstr(message, "less nesting"), "%s", message);
}
END_TEST

START_TEST(a_missing_file_is_an_answer)
{
  struct objects objects;
  ck_assert(!objects_read("/nowhere/x", &objects, message, sizeof message));
  ck_assert_str_eq(message, "/nowhere/x: No such file or directory");
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("objects");
  TCase *tests = tcase_create("objects");
  tcase_set_timeout(tests, 600);
  tcase_add_checked_fixture(tests, setup, teardown);
  tcase_add_test(tests, a_snapshot_is_read);
  tcase_add_test(tests, blanks_and_what_is_not_known_do_no_harm);
  tcase_add_test(tests, escapes_are_characters);
  tcase_add_loop_test(tests, a_damaged_one_is_an_answer, 0,
                      (int)(sizeof damaged / sizeof *damaged));
  tcase_add_test(tests, a_part_is_an_answer);
  tcase_add_test(tests, nesting_without_end_is_an_answer);
  tcase_add_test(tests, a_missing_file_is_an_answer);
  suite_add_tcase(suite, tests);
  return unit_run(suite);
}
