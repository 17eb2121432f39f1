/* Help that belongs to no verb: mote help TOPIC. */
#include "cli/cli.h"

#include <string.h>

static const char net_text[] =
    "--net of mote train, for images: tokens between blanks or on lines, from the image to the\n"
    "last layer, whose outputs are the classes.  '#' begins a remark.  It may be a file: --net\n"
    "FILE or --net @FILE.\n"
    "\n"
    "  28x28x1      rows, columns and channels of the image; may be left out\n"
    "  crop24       cut 24 x 24 pixels out of its middle; crop20x24\n"
    "  resize16     average to 16 x 16; resize16x12; resize16:4: pixels of 4 bits, 1 to 4\n"
    "\n"
    "  conv3x8      convolution, 3 x 3, 8 outputs; conv1x5x8: of 1 x 5\n"
    "  dw3          depthwise, a 3 x 3 filter for each channel; dw3m2: two for each\n"
    "  pw16         pointwise, 1 x 1, 16 outputs\n"
    "  deconv3x8s2  transposed convolution\n"
    "  dense10      every output sees the whole map\n"
    "  relu         behind these but the last, add, or a pool of them; relu:4: codes of 4 bits\n"
    "  linear       in its place: codes of 8 bits with a sign; the same as neither of both\n"
    "  pool2        largest of 2 x 2; pool3s2; gmax: of the whole map\n"
    "  avg2         mean of 2 x 2; gap: of the whole map, also of a last conv's outputs\n"
    "  up2          every element 2 x 2 times\n"
    "  shuffle2     four channels become 2 x 2 elements\n"
    "  pad1         zeros around the map; pad0x1: left and right\n"
    "  flatten      the map as a vector\n"
    "  add(a)       plus the output that is called a; concat(a): its channels behind\n"
    "  argmax       behind the last layer: the class alone; softmax: 256 times probabilities\n"
    "\n"
    "behind a layer, in any order:\n"
    "  s2           stride; s1x2: of rows and columns, as with p and d\n"
    "  p            as many zeros around as keep the size; p1: one\n"
    "  d2           dilation\n"
    "  g4           groups of channels that see only each other\n"
    "  :4           weights of 4 bits (2 to 16; default 8); :t ternary, 5 to a byte; :b binary;\n"
    "               :o2 :o3 :o4 odd levels alone, -3 -1 1 3 and so on\n"
    "  =a           its output is called a, for add and concat\n"
    "\n"
    "With --flash, --ram or --cycles a width may be open: conv3x?:t, dense2?:4.  ? becomes as\n"
    "large as the budget allows, 2? twice that.  So may the bits of weights, :? for those that a\n"
    "short training reads most with, ternary, of 4 or of 8.\n"
    "\n"
    "example:\n"
    "  28x28x1 crop24 resize16 conv3x8:4 relu pool2 conv3x12p:t relu=a\n"
    "  conv3x12p:t relu add(a) gap dense10:4\n";

bool topic_print(const char *name, struct text *out)
{
    if (strcmp(name, "net") != 0) {
        return false;
    }
    text_add(out, net_text);
    return true;
}
