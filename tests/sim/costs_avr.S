; Functions whose costs are counted by hand from the instruction set manual's tables, for
; tests/cli/measure_counts_avr.sh.  Cycles are those of AVRe with a program counter of 16 bits; `stack`
; counts the return address.
; expect NAME cycles N instructions N stack N loads N stores N flash N multiplies N taken N

        .text
        .macro function name
        .global \name
        .type \name, @function
\name:
        .endm

; expect leaf cycles 4 instructions 1 stack 2 loads 0 stores 0 flash 0 multiplies 0 taken 1
        function leaf
        ret                     ; 4

; All that takes one cycle, each in its encoding.
; expect plain cycles 42 instructions 39 stack 2 loads 0 stores 0 flash 0 multiplies 0 taken 1
        function plain
        ldi r24, 1
        ldi r22, 3
        mov r25, r24
        movw r18, r24
        add r24, r25
        adc r24, r25
        sub r24, r25
        sbc r24, r25
        subi r24, 3
        sbci r24, 3
        and r24, r25
        andi r24, 15
        or r24, r25
        ori r24, 1
        eor r24, r25
        com r24
        neg r24
        inc r24
        dec r24
        tst r24
        clr r20
        ser r20
        lsl r24
        lsr r24
        rol r24
        ror r24
        asr r24
        swap r24
        cp r24, r25
        cpc r24, r25
        cpi r24, 7
        bst r24, 0
        bld r24, 7
        sec
        clc
        nop
        in r19, 0x3f
        out 0x3f, r19
        ret                     ; 4

; Words: 2 each.
; expect words cycles 8 instructions 3 stack 2 loads 0 stores 0 flash 0 multiplies 0 taken 1
        function words
        adiw r24, 5             ; 2
        sbiw r24, 5             ; 2
        ret                     ; 4

; Loads and stores: 2 each, LPM 3, in all modes.  r25:r24 is the vector, r23:r22 the result.
; expect memory cycles 57 instructions 29 stack 2 loads 13 stores 9 flash 3 multiplies 0 taken 1
        function memory
        movw r26, r24           ; 1
        movw r30, r22           ; 1
        ld r18, X               ; 2
        ld r18, X+              ; 2
        ld r18, -X              ; 2
        ld r19, Z               ; 2
        ld r19, Z+              ; 2
        ld r19, -Z              ; 2
        ldd r20, Z+3            ; 2
        lds r21, vector         ; 2
        lds r21, vector+1       ; 2
        st X, r18               ; 2
        st X+, r18              ; 2
        st -X, r18              ; 2
        st Z, r18               ; 2
        st Z+, r19              ; 2
        st -Z, r19              ; 2
        std Z+2, r19            ; 2
        sts result, r20         ; 2
        sts result+1, r20       ; 2
        ldi r30, lo8(table)     ; 1
        ldi r31, hi8(table)     ; 1
        lpm r18, Z              ; 3
        lpm r19, Z+             ; 3
        lpm                     ; 3
        clr r0                  ; 1
        lds r18, vector         ; 2
        nop                     ; 1
        ret                     ; 4
table:  .word 0x1234

; The frame pointer Y, pushed and popped: 2 each.
; expect frame cycles 35 instructions 22 stack 10 loads 1 stores 1 flash 0 multiplies 0 taken 2
        function frame
        push r28                ; 2
        push r29                ; 2
        rcall .                 ; 3: room of two bytes
        in r28, 0x3d            ; 1
        in r29, 0x3e            ; 1
        sbiw r28, 4             ; 2
        in r0, 0x3f             ; 1
        cli                     ; 1
        out 0x3e, r29           ; 1
        out 0x3f, r0            ; 1
        out 0x3d, r28           ; 1
        std Y+1, r24            ; 2
        ldd r24, Y+1            ; 2
        adiw r28, 6             ; 2
        in r0, 0x3f             ; 1
        cli                     ; 1
        out 0x3e, r29           ; 1
        out 0x3f, r0            ; 1
        out 0x3d, r28           ; 1
        pop r29                 ; 2
        pop r28                 ; 2
        ret                     ; 4

; Branches: 1 where not taken, 2 taken; a loop of three.
; expect loop cycles 16 instructions 11 stack 2 loads 0 stores 0 flash 0 multiplies 0 taken 3
        function loop
        ldi r24, 3              ; 1
1:      nop                     ; 3 x 1
        dec r24                 ; 3 x 1
        brne 1b                 ; 2 + 2 + 1
        ret                     ; 4

; A branch to the very next instruction costs as a taken one.
; expect next cycles 9 instructions 5 stack 2 loads 0 stores 0 flash 0 multiplies 0 taken 2
        function next
        sec                     ; 1
        brcs .+0                ; 2
        brcc .+0                ; 1
        nop                     ; 1
        ret                     ; 4

; Skips: 1 where nothing is skipped, 2 over a word, 3 over two.
; expect skips cycles 21 instructions 12 stack 2 loads 0 stores 0 flash 0 multiplies 0 taken 6
        function skips
        ldi r24, 1              ; 1
        ldi r25, 1              ; 1
        cpse r24, r25           ; 2
        nop
        cpse r24, r1            ; 1
        nop                     ; 1
        sbrc r24, 1             ; 2
        nop
        sbrs r24, 0             ; 3
        sts result, r24
        sbrs r24, 0             ; 2
        nop
        sbrc r24, 0             ; 1
        nop                     ; 1
        sbrs r24, 0             ; 2
        ret
        ret                     ; 4

; Calls and jumps: RJMP 2, RCALL 3, ICALL 3, IJMP 2, RET 4.
; expect calls cycles 25 instructions 10 stack 4 loads 0 stores 0 flash 0 multiplies 0 taken 7
        function calls
        rjmp 1f                 ; 2
        nop
1:      rcall leaf              ; 3 + 4
        ldi r30, pm_lo8(leaf)   ; 1
        ldi r31, pm_hi8(leaf)   ; 1
        icall                   ; 3 + 4
        ldi r30, pm_lo8(leaf)   ; 1
        ijmp                    ; 2 + 4

; Ten bytes in, their sum out as four bytes: called once per vector.
; expect sum cycles 86 instructions 60 stack 2 loads 10 stores 4 flash 0 multiplies 0 taken 10
        function sum
        movw r26, r24           ; 1
        movw r30, r22           ; 1
        ldi r18, 10             ; 1
        clr r19                 ; 1
        clr r20                 ; 1
1:      ld r21, X+              ; 10 x 2
        add r19, r21            ; 10 x 1
        adc r20, r1             ; 10 x 1
        dec r18                 ; 10 x 1
        brne 1b                 ; 9 x 2 + 1
        st Z+, r19              ; 2
        st Z+, r20              ; 2
        st Z+, r1               ; 2
        st Z+, r1               ; 2
        ret                     ; 4

        .section .text.mega, "ax", @progbits
; Only on parts that have them: MUL and kin 2, JMP 3, CALL 4.
; expect_mega products cycles 15 instructions 7 stack 2 loads 0 stores 0 flash 0 multiplies 5 taken 1
        function products
        mul r24, r25            ; 2
        .word 0x0289            ; muls r24, r25: 2
        .word 0x0301            ; mulsu r16, r17: 2
        .word 0x0309            ; fmul r16, r17: 2
        .word 0x0381            ; fmuls r16, r17: 2
        clr r1                  ; 1
        ret                     ; 4: 5 x 2 + 1 + 4

; expect_mega long_calls cycles 15 instructions 4 stack 4 loads 0 stores 0 flash 0 multiplies 0 taken 4
        function long_calls
        .word 0x940e            ; call leaf: 4 + 4
        .word pm(leaf)
        .word 0x940c            ; jmp leaf: 3 + 4
        .word pm(leaf)

        .section .bss
        .global vector
        .type vector, @object
        .size vector, 10
vector: .space 10
        .global result
        .type result, @object
        .size result, 4
result: .space 4
