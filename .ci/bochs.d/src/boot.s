# From reset to `main`: 16 bits, 32 bits, then 64 bits with all memory below 4 GiB at its own addresses and the vector registers
# switched on. There are no interrupts and no handlers: an exception ends the emulator, which says what it was.

    # The last 512 bytes of the ROM. Its segment begins 64 KiB below 4 GiB, which is how they are addressed at first.
    .section .rom, "ax"
    .code16
    .globl rom
rom:
    cli
    cld
    lgdtl %cs:(0xfe00 + gdt_pointer - rom)
    movl %cr0, %eax
    orl $1, %eax                # protected mode
    movl %eax, %cr0
    ljmpl $8, $enter32

    .code32
enter32:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    # Address bit 20 is masked until this port says otherwise.
    inb $0x92, %al
    orb $2, %al
    outb %al, $0x92

    # The payload, and what comes after it in the ROM.
    movl $0xfff80000, %esi
    movl $0x100000, %edi
    movl $0x20000, %ecx
    rep movsl

    # Page tables from 0x1000 on: one of level 4, one of level 3, four of level 2 with pages of 2 MiB.
    movl $0x1000, %edi
    xorl %eax, %eax
    movl $0x1800, %ecx
    rep stosl
    movl $0x2003, 0x1000        # present, writable
    movl $0x3003, 0x2000
    movl $0x4003, 0x2008
    movl $0x5003, 0x2010
    movl $0x6003, 0x2018
    movl $0x3000, %edi
    movl $0x83, %eax            # and large
    movl $2048, %ecx
1:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 1b

    movl $0x40620, %eax         # PAE, OSFXSR, OSXMMEXCPT, OSXSAVE
    movl %eax, %cr4
    movl $0x1000, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx      # EFER
    rdmsr
    orl $0x100, %eax            # long mode
    wrmsr
    movl $0x80000023, %eax      # paging, native errors, WAIT, protected mode
    movl %eax, %cr0
    ljmp $24, $enter64

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff    # code, 32 bits
    .quad 0x00cf93000000ffff    # data
    .quad 0x00af9b000000ffff    # code, 64 bits
gdt_pointer:
    .word 31
    .long gdt

    # Here the processor begins.
    .code16
    .org 0x1f0
    jmp rom
    .balign 16, 0x90

    .section .start, "ax"
    .code64
enter64:
    movl $0x1000000, %esp       # the stack grows down from 16 MiB
    xorl %ecx, %ecx
    xorl %edx, %edx
    movl $0xe7, %eax            # x87, SSE, AVX, AVX-512
    xsetbv
    call main
    ud2

    .text
