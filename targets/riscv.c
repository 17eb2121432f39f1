/* Start-up and semihosting for test images on RISC-V, 32 and 64 bits, under an emulator (board.h).
 * Operations: "Semihosting for AArch32 and AArch64", Arm, 0x01 to 0x18; how a hart calls them:
 * "RISC-V Semihosting". */
#include "board.h"

#include <stdint.h>

enum { SYS_OPEN = 0x01, SYS_WRITE0 = 0x04, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT = 0x20 };
enum { MODE_READ = 1, MODE_WRITE = 5 }; /* "rb", "wb" */
enum { APPLICATION_EXIT = 0x20026 };

extern uint32_t board_data_image[], board_data_start[], board_data_end[], board_bss_start[],
    board_bss_end[]; /* riscv.ld */

int main(void);
long board_host_call(long operation, const void *argument);
void board_start(void);
void board_fault_at(uintptr_t address);

/* Entry, traps, and the three instructions that a host looks for: uncompressed, on one page. */
__asm(".section .start, \"ax\"\n"
      ".option push\n"
      ".option norvc\n"
      ".option arch, +zicsr\n"
      ".global board_reset\n"
      "board_reset:\n"
      "    la sp, board_stack_top\n"
      "    la a0, board_trap\n"
      "    csrw mtvec, a0\n"
      "    j board_start\n"
      ".balign 4\n"
      "board_trap:\n"
      "    csrr a0, mepc\n"
      "    j board_fault_at\n"
      ".balign 16\n"
      ".global board_host_call\n"
      "board_host_call:\n"
      "    slli x0, x0, 0x1f\n"
      "    ebreak\n"
      "    srai x0, x0, 7\n"
      "    ret\n"
      ".option pop\n"
      ".text\n");

/* Arguments are words of the machine. */
static void leave(uintptr_t status)
{
    const uintptr_t block[2] = {APPLICATION_EXIT, status};
    for (;;) {
        (void)board_host_call(SYS_EXIT, block);
    }
}

static void leave_saying(const char *text)
{
    (void)board_host_call(SYS_WRITE0, text);
    leave(1);
}

static long open_file(const char *name, uintptr_t length, uintptr_t mode)
{
    const uintptr_t block[3] = {(uintptr_t)name, mode, length};
    long handle = board_host_call(SYS_OPEN, block);
    if (handle < 0) {
        leave_saying("cannot open in.bin or out.bin\n");
    }
    return handle;
}

/* Read or write; the number of bytes that were not. */
static long transfer(long operation, long handle, const void *data, uintptr_t size)
{
    const uintptr_t block[3] = {(uintptr_t)handle, (uintptr_t)data, size};
    return board_host_call(operation, block);
}

int board_read(void *data, unsigned size)
{
    static long handle;
    static int is_open;
    if (!is_open) {
        handle = open_file("in.bin", 6, MODE_READ);
        is_open = 1;
    }
    return transfer(SYS_READ, handle, data, size) == 0;
}

void board_write(const void *data, unsigned size)
{
    static long handle;
    static int is_open;
    if (!is_open) {
        handle = open_file("out.bin", 7, MODE_WRITE);
        is_open = 1;
    }
    if (transfer(SYS_WRITE, handle, data, size) != 0) {
        leave_saying("cannot write out.bin\n");
    }
}

void board_end(void)
{
    leave(0);
}

/* Called with a stack and nothing else. */
__attribute__((used)) void board_start(void)
{
    const uint32_t *from = board_data_image;
    for (uint32_t *to = board_data_start; to < board_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = board_bss_start; to < board_bss_end; to++) {
        *to = 0;
    }
    (void)main();
    leave(1);
}

/* The address of the instruction that trapped. */
__attribute__((used)) void board_fault_at(uintptr_t address)
{
    static char text[] = "fault at 0x00000000\n";
    for (int i = 18; i > 10; i--, address >>= 4) {
        text[i] = "0123456789abcdef"[address & 15];
    }
    leave_saying(text);
}
