/* Start-up and semihosting for test images on Cortex-M under an emulator (board.h).
 * Semihosting: "Semihosting for AArch32 and AArch64", Arm, operations 0x01 to 0x18. */
#include "board.h"

#include <stdint.h>

enum { SYS_OPEN = 0x01, SYS_WRITE0 = 0x04, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT = 0x18 };
enum { MODE_READ = 1, MODE_WRITE = 5 }; /* "rb", "wb" */
enum { EXIT_FINE = 0x20026, EXIT_ERROR = 0x20023 };

extern uint32_t board_stack_top, board_data_image[], board_data_start[], board_data_end[],
    board_bss_start[], board_bss_end[]; /* cortex-m.ld */

int main(void);
void board_reset(void);
void board_fault(void);
void board_fault_at(const uint32_t *frame);

static int32_t host_call(int32_t operation, const void *argument)
{
    register int32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void leave(uint32_t how)
{
    for (;;) {
        (void)host_call(SYS_EXIT, (const void *)(uintptr_t)how);
    }
}

static void leave_saying(const char *text)
{
    (void)host_call(SYS_WRITE0, text);
    leave(EXIT_ERROR);
}

static int32_t open_file(const char *name, uint32_t length, uint32_t mode)
{
    const uint32_t block[3] = {(uint32_t)(uintptr_t)name, mode, length};
    int32_t handle = host_call(SYS_OPEN, block);
    if (handle < 0) {
        leave_saying("cannot open in.bin or out.bin\n");
    }
    return handle;
}

/* Read or write; the number of bytes that were not. */
static uint32_t transfer(int32_t operation, int32_t handle, const void *data, uint32_t size)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)data, size};
    return (uint32_t)host_call(operation, block);
}

int board_read(void *data, unsigned size)
{
    static int32_t handle;
    static int is_open;
    if (!is_open) {
        handle = open_file("in.bin", 6, MODE_READ);
        is_open = 1;
    }
    return transfer(SYS_READ, handle, data, size) == 0;
}

void board_write(const void *data, unsigned size)
{
    static int32_t handle;
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
    leave(EXIT_FINE);
}

void board_reset(void)
{
    const uint32_t *from = board_data_image;
    for (uint32_t *to = board_data_start; to < board_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = board_bss_start; to < board_bss_end; to++) {
        *to = 0;
    }
    (void)main();
    leave(EXIT_ERROR);
}

/* `frame`: what the core pushed; word 6 is the address of the faulting instruction. */
void board_fault_at(const uint32_t *frame)
{
    static char text[] = "fault at 0x00000000\n";
    uint32_t address = frame[6];
    for (int i = 18; i > 10; i--, address >>= 4) {
        text[i] = "0123456789abcdef"[address & 15];
    }
    leave_saying(text);
}

__attribute__((naked)) void board_fault(void)
{
    __asm volatile(".syntax unified\n"
                   "mrs r0, msp\n"
                   "ldr r1, =board_fault_at\n"
                   "bx r1\n"
                   ".ltorg\n");
}

/* Initial SP, reset, and fault handlers in all places that an exception may use here. */
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    &board_stack_top, board_reset, board_fault, board_fault, board_fault, board_fault,
    board_fault,      board_fault, board_fault, board_fault, board_fault, board_fault,
    board_fault,      board_fault, board_fault, board_fault,
};
