/* Start-up and files for test images on Linux without a C library (board.h): s390x, 64-bit PowerPC
 * (ELFv2), Arm and AArch64. */
#include "board.h"

#if defined(__aarch64__)
enum { SYS_OPEN = 56, SYS_READ = 63, SYS_WRITE = 64, SYS_EXIT = 93 }; /* openat */
#else
enum { SYS_EXIT = 1, SYS_READ = 3, SYS_WRITE = 4, SYS_OPEN = 5 };
#endif
enum { OPEN_READ = 0, OPEN_WRITE = 01 | 0100 | 01000, MODE = 0644 }; /* write, create, truncate */

int main(void);
void board_start(void);

#if defined(__s390x__)
/* The kernel leaves r15 at the arguments; a callee saves registers in the 160 bytes above it. */
__asm(".text\n"
      ".globl _start\n"
      "_start:\n"
      "    aghi %r15, -160\n"
      "    brasl %r14, board_start\n");

/* A system call: number in r1, arguments from r2 on, result in r2. */
static long call(long number, long first, const void *second, long third)
{
    register long r1 __asm("1") = number;
    register long r2 __asm("2") = first;
    register const void *r3 __asm("3") = second;
    register long r4 __asm("4") = third;
    __asm volatile("svc 0" : "+d"(r2) : "d"(r1), "d"(r3), "d"(r4) : "memory");
    return r2;
}
#elif defined(__powerpc64__)
/* r2 is the base of the addresses of all variables. */
__asm(".text\n"
      ".globl _start\n"
      "_start:\n"
      "    lis 2, .TOC.@ha\n"
      "    addi 2, 2, .TOC.@l\n"
      "    stdu 1, -64(1)\n"
      "    bl board_start\n"
      "    nop\n");

/* A system call: number in r0, arguments from r3 on, result in r3; the SO bit tells a failure. */
static long call(long number, long first, const void *second, long third)
{
    register long r0 __asm("r0") = number;
    register long r3 __asm("r3") = first;
    register const void *r4 __asm("r4") = second;
    register long r5 __asm("r5") = third;
    __asm volatile("sc\n"
                   "bns+ 1f\n"
                   "neg 3, 3\n"
                   "1:"
                   : "+r"(r0), "+r"(r3), "+r"(r4), "+r"(r5)
                   :
                   : "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cr0", "ctr", "xer", "memory");
    return r3;
}
#elif defined(__arm__)
__asm(".text\n"
      ".globl _start\n"
      ".type _start, %function\n"
      "_start:\n"
      "    bl board_start\n");

/* A system call: number in r7, arguments from r0 on, result in r0. */
static long call(long number, long first, const void *second, long third)
{
    register long r7 __asm("r7") = number;
    register long r0 __asm("r0") = first;
    register const void *r1 __asm("r1") = second;
    register long r2 __asm("r2") = third;
    __asm volatile("svc 0" : "+r"(r0) : "r"(r7), "r"(r1), "r"(r2) : "memory");
    return r0;
}
#elif defined(__aarch64__)
__asm(".text\n"
      ".globl _start\n"
      "_start:\n"
      "    bl board_start\n");

/* A system call: number in x8, arguments from x0 on, result in x0.  Opening wants a folder in
 * front: the current one, AT_FDCWD. */
static long call(long number, long first, const void *second, long third)
{
    long before = number == SYS_OPEN ? -100 : first;
    register long x8 __asm("x8") = number;
    register long x0 __asm("x0") = before;
    register long x1 __asm("x1") = number == SYS_OPEN ? first : (long)second;
    register long x2 __asm("x2") = number == SYS_OPEN ? (long)second : third;
    register long x3 __asm("x3") = third;
    __asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
#else
#error "system calls of this machine are not written yet"
#endif

static void leave(int status)
{
    for (;;) {
        (void)call(SYS_EXIT, status, 0, 0);
    }
}

static void leave_saying(const char *text, long length)
{
    (void)call(SYS_WRITE, 2, text, length);
    leave(1);
}

static long open_file(const char *name, long how)
{
    long handle = call(SYS_OPEN, (long)name, (const void *)how, MODE);
    if (handle < 0) {
        leave_saying("cannot open in.bin or out.bin\n", 30);
    }
    return handle;
}

/* All of it in one call: regular files are never short but at their end. */
int board_read(void *data, unsigned size)
{
    static long handle;
    if (!handle) {
        handle = open_file("in.bin", OPEN_READ);
    }
    return call(SYS_READ, handle, data, size) == (long)size;
}

void board_write(const void *data, unsigned size)
{
    static long handle;
    if (!handle) {
        handle = open_file("out.bin", OPEN_WRITE);
    }
    if (call(SYS_WRITE, handle, data, size) != (long)size) {
        leave_saying("cannot write out.bin\n", 21);
    }
}

void board_end(void)
{
    leave(0);
}

__attribute__((used)) void board_start(void)
{
    (void)main();
    leave(1);
}
