// Go's crypto/mlkem, which knows seeds and bare public keys: writes them, and reads ours. Arguments: `write` or `read`, and the
// directory.
package main

import (
	"bytes"
	"crypto/mlkem"
	"fmt"
	"os"
)

func main() {
	directory := os.Args[2]
	file := func(stem, extension string) string { return directory + "/" + stem + "." + extension }
	write := func(stem string, parts map[string][]byte) {
		for extension, data := range parts {
			if err := os.WriteFile(file(stem, extension), data, 0o600); err != nil {
				panic(err)
			}
		}
	}
	read := func(stem, extension string) []byte {
		data, err := os.ReadFile(file(stem, extension))
		if err != nil {
			panic(err)
		}
		return data
	}
	say := func(set, form string, err error, found, wanted []byte) {
		if err == nil && bytes.Equal(found, wanted) {
			fmt.Println("go", set, form, "y")
		} else {
			fmt.Println("go", set, form, "n:", err)
		}
	}
	if os.Args[1] == "write" {
		k768, err := mlkem.GenerateKey768()
		if err != nil {
			panic(err)
		}
		secret, ciphertext := k768.EncapsulationKey().Encapsulate()
		write("go-768-seed", map[string][]byte{"seed": k768.Bytes(), "pub": k768.EncapsulationKey().Bytes(), "ct": ciphertext, "ss": secret})
		k1024, err := mlkem.GenerateKey1024()
		if err != nil {
			panic(err)
		}
		secret, ciphertext = k1024.EncapsulationKey().Encapsulate()
		write("go-1024-seed", map[string][]byte{"seed": k1024.Bytes(), "pub": k1024.EncapsulationKey().Bytes(), "ct": ciphertext, "ss": secret})
		return
	}
	{
		all := "kemstone-768-all"
		key, err := mlkem.NewDecapsulationKey768(read(all, "seed"))
		if err != nil {
			panic(err)
		}
		secret, err := key.Decapsulate(read(all, "ct"))
		say("768", "bare", err, secret, read(all, "ss"))
		public, err := mlkem.NewEncapsulationKey768(read(all, "pub"))
		if err != nil {
			panic(err)
		}
		ours, ciphertext := public.Encapsulate()
		secret, err = key.Decapsulate(ciphertext)
		say("768", "public", err, secret, ours)
	}
	{
		all := "kemstone-1024-all"
		key, err := mlkem.NewDecapsulationKey1024(read(all, "seed"))
		if err != nil {
			panic(err)
		}
		secret, err := key.Decapsulate(read(all, "ct"))
		say("1024", "bare", err, secret, read(all, "ss"))
		public, err := mlkem.NewEncapsulationKey1024(read(all, "pub"))
		if err != nil {
			panic(err)
		}
		ours, ciphertext := public.Encapsulate()
		secret, err = key.Decapsulate(ciphertext)
		say("1024", "public", err, secret, ours)
	}
}
