import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;

/** The JDK: writes keys, and reads ours. Arguments: `write` or `read`, and the directory. */
public class Peer {
    static String directory;

    static Path path(String stem, String extension) {
        return Path.of(directory, stem + "." + extension);
    }

    static void pem(Path path, String label, byte[] der) throws Exception {
        String body = Base64.getMimeEncoder(64, "\n".getBytes()).encodeToString(der);
        Files.writeString(path, "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n");
    }

    static byte[] der(Path path) throws Exception {
        StringBuilder body = new StringBuilder();
        for (String line : Files.readAllLines(path)) {
            if (!line.startsWith("-")) {
                body.append(line);
            }
        }
        return Base64.getDecoder().decode(body.toString());
    }

    // javax.crypto.KEM is newer than the compiler may be.

    static Object kem() throws Exception {
        return Class.forName("javax.crypto.KEM").getMethod("getInstance", String.class).invoke(null, "ML-KEM");
    }

    static byte[][] encapsulate(PublicKey key) throws Exception {
        Object kem = kem();
        Object encapsulator = kem.getClass().getMethod("newEncapsulator", PublicKey.class).invoke(kem, key);
        Object result = encapsulator.getClass().getMethod("encapsulate").invoke(encapsulator);
        Key secret = (Key) result.getClass().getMethod("key").invoke(result);
        return new byte[][] {(byte[]) result.getClass().getMethod("encapsulation").invoke(result), secret.getEncoded()};
    }

    static byte[] decapsulate(PrivateKey key, byte[] ciphertext) throws Exception {
        Object kem = kem();
        Object decapsulator = kem.getClass().getMethod("newDecapsulator", PrivateKey.class).invoke(kem, key);
        return ((Key) decapsulator.getClass().getMethod("decapsulate", byte[].class).invoke(decapsulator, ciphertext))
                .getEncoded();
    }

    public static void main(String[] arguments) throws Exception {
        directory = arguments[1];
        for (String set : new String[] {"512", "768", "1024"}) {
            if (arguments[0].equals("write")) {
                KeyPair pair = KeyPairGenerator.getInstance("ML-KEM-" + set).generateKeyPair();
                String stem = "jdk-" + set + "-default";
                pem(path(stem, "priv.pem"), "PRIVATE KEY", pair.getPrivate().getEncoded());
                pem(path(stem, "pub.pem"), "PUBLIC KEY", pair.getPublic().getEncoded());
                byte[][] both = encapsulate(pair.getPublic());
                Files.write(path(stem, "ct"), both[0]);
                Files.write(path(stem, "ss"), both[1]);
                continue;
            }
            KeyFactory factory = KeyFactory.getInstance("ML-KEM");
            String all = "kemstone-" + set + "-all";
            byte[] ciphertext = Files.readAllBytes(path(all, "ct"));
            byte[] secret = Files.readAllBytes(path(all, "ss"));
            for (String form : new String[] {"seed", "expanded", "both", "untagged"}) {
                String read;
                try {
                    byte[] der = der(path("kemstone-" + set + "-" + form, "priv.pem"));
                    PrivateKey key = factory.generatePrivate(new PKCS8EncodedKeySpec(der));
                    read = Arrays.equals(decapsulate(key, ciphertext), secret) ? "y" : "n: another secret";
                } catch (Exception error) {
                    read = "n: " + error.getClass().getSimpleName();
                }
                System.out.println("jdk " + set + " " + form + " " + read);
            }
            PublicKey key = factory.generatePublic(new X509EncodedKeySpec(der(path(all, "pub.pem"))));
            byte[] der = der(path("kemstone-" + set + "-expanded", "priv.pem"));
            PrivateKey owner = factory.generatePrivate(new PKCS8EncodedKeySpec(der));
            byte[][] both = encapsulate(key);
            boolean same = Arrays.equals(decapsulate(owner, both[0]), both[1]);
            System.out.println("jdk " + set + " public " + (same ? "y" : "n: another secret"));
        }
    }
}
