#!/usr/bin/env bash
# Bochs 2.7 (Debian 12), asked for a Tiger Lake, gets two instructions of AVX-512 VBMI2 wrong, without a word:
# - vpcompressw gives zeros where all bits of the mask are set, though it is right where one is not. Its mask is then one that
#   changes nothing, so programs meet it with ordinary data.
# - vpexpandw with zero-masking is right from a register. From memory it reads a word only where the mask has the bit of that
#   word, though what decides is how many bits are set: with all but the first bit, the first word is lost.
# By Intel's manual all bits give 01 to 20, and all but the first 00 01 to 1f.
# Without an operating system a program of 64 KiB runs both and prints the words. The script fails if what they give changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work"
version='2.7+dfsg-4+deb12u1'
mkdir -p archives/partial unpacked
sudo=()
if [ "$EUID" -ne 0 ]; then sudo=(sudo); fi
"${sudo[@]}" apt-get -qq -y --no-install-recommends --download-only --reinstall -o Dir::Cache::archives="$work/archives" \
  install "bochs=$version" "bochs-term=$version" >/dev/null
for package in archives/*.deb; do dpkg -x "$package" unpacked; done

cat >program.s <<'ASM'
    .section .rom, "ax"
    .code16
rom:
    cli
    cld
    lgdtl %cs:(gdt_pointer - rom)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $8, $enter32
    .code32
enter32:
    movw $16, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    inb $0x92, %al
    orb $2, %al
    outb %al, $0x92
    movl $0x9000, %esp
    movl $0x40600, %eax
    movl %eax, %cr4
    movl $0x23, %eax
    movl %eax, %cr0
    xorl %ecx, %ecx
    xorl %edx, %edx
    movl $0xe7, %eax
    xsetbv
    movl $words, %esi
    movl $0x8000, %edi
    movl $16, %ecx
    rep movsl

    .macro show name
    vmovdqu16 %zmm0, 0x8100
    movl $\name, %esi
    call text
    call result
    .endm
    vmovdqu16 0x8000, %zmm1

    movl $0x7fffffff, %eax
    kmovd %eax, %k1
    vpcompressw %zmm1, %zmm0{%k1}{z}
    show name1
    movl $-1, %eax
    kmovd %eax, %k1
    vpcompressw %zmm1, %zmm0{%k1}{z}
    show name2
    movl $-2, %eax
    kmovd %eax, %k1
    vpexpandw %zmm1, %zmm0{%k1}{z}
    show name3
    vpexpandw 0x8000, %zmm0{%k1}{z}
    show name4

    movl $end, %esi
    movw $0x8900, %dx
1:  lodsb
    testb %al, %al
    jz 2f
    outb %al, %dx
    jmp 1b
2:  hlt

text:
    lodsb
    testb %al, %al
    jz 1f
    outb %al, $0xe9
    jmp text
1:  ret

result:
    movl $0x8100, %esi
    movl $32, %ecx
2:  lodsw
    movb %al, %bl
    movb $32, %al
    outb %al, $0xe9
    movb %bl, %al
    shrb $4, %al
    call digit
    movb %bl, %al
    andb $15, %al
    call digit
    loop 2b
    movb $10, %al
    outb %al, $0xe9
    ret
digit:
    addb $48, %al
    cmpb $58, %al
    jb 3f
    addb $39, %al
3:  outb %al, $0xe9
    ret

name1: .asciz "found: vpcompressw, all but the last:"
name2: .asciz "found: vpcompressw, all:"
name3: .asciz "found: vpexpandw from a register, all but the first:"
name4: .asciz "found: vpexpandw from memory, all but the first:"
end:   .asciz "Shutdown"
    .balign 64
words:
    .set i, 1
    .rept 32
    .word i
    .set i, i+1
    .endr
    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
gdt_pointer:
    .word 23
    .long gdt
    .code16
    .org 0xfff0
    jmp rom
    .balign 16, 0x90
ASM
as --32 program.s -o program.o
ld -m elf_i386 -Ttext=0xffff0000 --section-start=.rom=0xffff0000 -e 0xffff0000 program.o -o program
objcopy -O binary -j .rom program program.rom

cat >bochsrc <<'RC'
cpu: model=tigerlake, ips=50000000, reset_on_triple_fault=0
memory: guest=32, host=32
romimage: file=program.rom
port_e9_hack: enabled=1
display_library: term
panic: action=fatal
log: log
RC
lib=$work/unpacked/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$lib:$work/unpacked/lib/x86_64-linux-gnu LTDL_LIBRARY_PATH=$lib/bochs/plugins BXSHARE=$work/unpacked/usr/share/bochs
unpacked/usr/bin/bochs --help 2>&1 | grep -o 'Bochs x86 Emulator [0-9.]*'
# Debian's has a debugger, which waits for `c`, and does not end by SIGTERM; its status says nothing.
echo c | TERM=vt100 timeout -s KILL 60 unpacked/usr/bin/bochs -q -f bochsrc >output 2>errors || true
grep -a -o 'found: .*' output | sed 's/^found: //' | tee found

words=''
for i in $(seq 1 31); do words+=" $(printf %02x "$i")"; done
diff found - <<END
vpcompressw, all but the last:$words 00
vpcompressw, all:$(printf ' 00%.0s' $(seq 32))
vpexpandw from a register, all but the first: 00$words
vpexpandw from memory, all but the first: 00 00${words# 01}
END
