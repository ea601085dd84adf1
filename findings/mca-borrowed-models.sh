#!/usr/bin/env bash
# llvm-mca 22.1.8 takes the names of many cores of Arm, Apple and AMD and gives them the model of another core, without a word:
# -mcpu=cortex-a72, -a73, -a75, -a76, -a77 and -a78 are all the Cortex-A57 of 2012, with three instructions a cycle (the A76
# decodes four), and apple-m4 is apple-m1, znver5 is znver4. So an order of instructions that is found "for Cortex-A76" or
# "for Zen 5" by these models is one for the A57 or for Zen 4. Neoverse N1, V1 and V2 have models of their own.
# For a mix of instructions the script prints the cycles of a hundred rounds and the width of each.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -qq download 'llvm-22=1:22.1.8-1~deb12u1' 'libllvm22=1:22.1.8-1~deb12u1'
for package in ./*.deb; do dpkg -x "$package" .; done
export LD_LIBRARY_PATH=$work/usr/lib/llvm-22/lib:$work/usr/lib/x86_64-linux-gnu
mca=usr/lib/llvm-22/bin/llvm-mca
"$mca" --version | grep 'LLVM version'

cat >aarch64.s <<'ASM'
eor x0, x1, x2, ror #17
bic x3, x4, x5, ror #9
eor v0.16b, v1.16b, v2.16b
smull v3.4s, v4.4h, v5.4h
sqrdmulh v6.8h, v7.8h, v8.8h
ldr q9, [x10]
mul x11, x12, x13
trn1 v14.4s, v15.4s, v16.4s
ASM
cat >x86_64.s <<'ASM'
vpxorq %zmm0, %zmm1, %zmm2
vprolq $7, %zmm3, %zmm4
vpternlogq $150, %zmm5, %zmm6, %zmm7
vpmullw %ymm1, %ymm2, %ymm8
movq 8(%rsi), %rax
imulq %rdx, %rcx
ASM

# model TARGET CORE: cycles and width.
model() {
  "$mca" -mtriple="$1" -mcpu="$2" -iterations=100 "$1.s" |
    awk '/^Total Cycles|^Dispatch Width/ {printf "%s ", $NF}'
}

# same TARGET CORE OTHER...: all of one model.
same() {
  local target=$1 first other
  first=$(model "$target" "$2")
  echo "$2: $first"
  for other in "${@:3}"; do
    echo "  $other: $(model "$target" "$other")"
    [ "$(model "$target" "$other")" = "$first" ]
  done
}

same aarch64 cortex-a57 cortex-a72 cortex-a73 cortex-a75 cortex-a76 cortex-a77 cortex-a78
[ "$(model aarch64 cortex-a76)" = '308 3 ' ]
same aarch64 apple-m1 apple-m4
same x86_64 znver4 znver5
for core in neoverse-n1 neoverse-v1 neoverse-v2; do
  echo "$core: $(model aarch64 "$core")"
  [ "$(model aarch64 "$core")" != "$(model aarch64 cortex-a57)" ]
done
