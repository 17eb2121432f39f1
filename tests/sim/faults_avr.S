; Functions that the counting program must refuse on a part, for tests/cli/measure_counts_avr.sh:
; fault NAME PART: what the message must contain

        .text
        .macro function name
        .global \name
        .type \name, @function
\name:
        .endm

; What an ATtiny85 lacks; simavr executes each of them.
; fault multiply attiny85: no instruction of attiny85 that
        function multiply
        .word 0x9d89            ; mul r24, r25
        ret

; fault multiply_signed attiny85: no instruction of attiny85 that
        function multiply_signed
        .word 0x0289            ; muls r24, r25
        ret

; fault multiply_fraction attiny85: no instruction of attiny85 that
        function multiply_fraction
        .word 0x0381            ; fmuls r16, r17
        ret

; fault long_call attiny85: no instruction of attiny85 that
        function long_call
        .word 0x940e, pm(leaf)  ; call leaf
leaf:   ret

; fault long_jump attiny85: no instruction of attiny85 that
        function long_jump
        .word 0x940c, pm(leaf)  ; jmp leaf

; What parts with less than 128 KiB of flash lack.
; fault far_call atmega328p: no instruction of atmega328p that
        function far_call
        .word 0x9519            ; eicall

; fault far_load atmega328p: no instruction of atmega328p that
        function far_load
        .word 0x9007            ; elpm r0, Z+
        ret

; What measured code has no use for.
; fault undefined atmega328p: no instruction of atmega328p that
        function undefined
        .word 0x9003
        ret

; fault exchange atmega328p: no instruction of atmega328p that
        function exchange
        .word 0x9204            ; xch Z, r0
        ret

; fault sleeping atmega328p: no instruction of atmega328p that
        function sleeping
        sleep
        ret

; fault breaking atmega328p: no instruction of atmega328p that
        function breaking
        .word 0x9598            ; break
        ret

; fault interrupt_return atmega328p: no instruction of atmega328p that
        function interrupt_return
        reti

; fault port_out atmega328p: no instruction of atmega328p that
        function port_out
        out 0x05, r24
        ret

; fault port_bit atmega328p: no instruction of atmega328p that
        function port_bit
        sbi 0x05, 0
        ret

; Accesses.
; fault read_register attiny85: read of 1 byte outside of RAM at 0x001f
        function read_register
        lds r24, 0x1f
        ret

; fault write_port atmega328p: write of 1 byte outside of RAM at 0x0025
        function write_port
        sts 0x25, r24
        ret

; fault read_past_ram attiny85: read of 1 byte outside of RAM at 0x0260
        function read_past_ram
        ldi r30, 0x61
        ldi r31, 2
        ld r24, -Z
        ret

; fault write_past_ram atmega328p: write of 1 byte outside of RAM at 0x0903
        function write_past_ram
        ldi r28, 0
        ldi r29, 9
        std Y+3, r24
        ret

; Control.
; fault run_off_the_code attiny85: no instruction of attiny85 that
        function run_off_the_code
        ldi r30, 0
        ldi r31, 8
        ijmp

; fault endless atmega328p: still running after 100000 instructions
        function endless
        rjmp endless

; fault recursion attiny85: stack overflow
        function recursion
        push r24
        rcall recursion
        ret

; fault clobber atmega328p: does not preserve r17
        function clobber
        ldi r17, 0
        ret

; fault clobber_zero atmega328p: does not preserve r1
        function clobber_zero
        inc r1
        ret

; fault unbalanced atmega328p: another SP
        function unbalanced
        pop r18
        pop r19
        push r19
        push r18
        pop r31
        pop r30
        push r24
        ijmp
