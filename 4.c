#include <dusk.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
  struct node *left, *right;
  int key;
};

static struct node *insert(dusk_thread *thread, struct node *root, int key)
{
  struct node *node = dusk_alloc(thread, DUSK_CONSERVATIVE, sizeof *node);
  if (!node)
    exit(1);
  node->key = key; /* not a pointer: a plain assignment */
  if (!root)
    return node; /* its links are NULL: new memory is all zero */

  struct node *at = root;
  for (;;) {
    struct node **side = key < at->key ? &at->left : &at->right;
    struct node *next = dusk_load(side);
    if (!next) {
      dusk_store(thread, side, node); /* a link in the heap: with barrier */
      return root;
    }
    at = next; /* a local: a plain assignment */
  }
}

/* A new root over two trees: both links are set at once, nothing between.
 */
static struct node *join(dusk_thread *thread, struct node *left,
                         struct node *right, int key)
{
  struct node *node = dusk_alloc(thread, DUSK_CONSERVATIVE, sizeof *node);
  if (!node)
    exit(1);
  node->key = key;
  dusk_init(thread, &node->left, left);
  dusk_init(thread, &node->right, right);
  return node;
}

static int count(const struct node *node)
{
  return node ? 1 + count(dusk_load(&node->left)) +
                    count(dusk_load(&node->right))
              : 0;
}

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    return 1;

  struct node *small = NULL, *large = NULL;
  unsigned key = 1;
  for (int i = 0; i < 1000; i++) {
    key = key * 1103515245u + 12345u;
    small = insert(thread, small, (int)(key >> 16) % 1000);
    large = insert(thread, large, 2000 + (int)(key >> 16) % 1000);
  }
  struct node *root = join(thread, small, large, 1500);
  printf("%d nodes\n", count(root));

  dusk_detach(thread);
  dusk_heap_close(heap);
  return count(root) != 2001;
}
