import java.io.FileReader;
import java.io.FileWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.util.Arrays;
import javax.crypto.KeyGenerator;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.jcajce.SecretKeyWithEncapsulation;
import org.bouncycastle.jcajce.interfaces.MLKEMPrivateKey;
import org.bouncycastle.jcajce.interfaces.MLKEMPublicKey;
import org.bouncycastle.jcajce.spec.KEMExtractSpec;
import org.bouncycastle.jcajce.spec.KEMGenerateSpec;
import org.bouncycastle.jcajce.spec.MLKEMParameterSpec;
import org.bouncycastle.jcajce.spec.MLKEMPrivateKeySpec;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.PKCS8Generator;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8DecryptorProviderBuilder;
import org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8EncryptorBuilder;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;

/**
 * Bouncy Castle, by its provider: writes keys, and reads ours. Arguments: `write` or `read`, the directory, and the name that the
 * keys and lines of this version have; or `version`.
 */
public class Bouncy {
    // Named in every call: the JDK has an ML-KEM of its own, which must not take part.
    static final Provider PROVIDER = new BouncyCastleProvider();
    static final char[] PASSWORD = "password".toCharArray();

    static String directory;

    static Path path(String stem, String extension) {
        return Path.of(directory, stem + "." + extension);
    }

    static void pem(Path path, Object object) throws Exception {
        try (JcaPEMWriter writer = new JcaPEMWriter(new FileWriter(path.toFile()))) {
            writer.writeObject(object);
        }
    }

    static Object pem(Path path) throws Exception {
        try (PEMParser parser = new PEMParser(new FileReader(path.toFile()))) {
            return parser.readObject();
        }
    }

    static JcaPEMKeyConverter converter() {
        return new JcaPEMKeyConverter().setProvider(PROVIDER);
    }

    static PrivateKey privateKey(Path path) throws Exception {
        Object object = pem(path);
        if (object instanceof PKCS8EncryptedPrivateKeyInfo) {
            object = ((PKCS8EncryptedPrivateKeyInfo) object).decryptPrivateKeyInfo(
                    new JceOpenSSLPKCS8DecryptorProviderBuilder().setProvider(PROVIDER).build(PASSWORD));
        }
        return converter().getPrivateKey((PrivateKeyInfo) object);
    }

    static JcaPKCS8Generator encrypted(PrivateKey key, AlgorithmIdentifier prf) throws Exception {
        JceOpenSSLPKCS8EncryptorBuilder builder = new JceOpenSSLPKCS8EncryptorBuilder(PKCS8Generator.AES_256_CBC)
                .setProvider(PROVIDER)
                .setPassword(PASSWORD);
        return new JcaPKCS8Generator(key, (prf == null ? builder : builder.setPRF(prf)).build());
    }

    // Without `withNoKdf` the secret is a hash of ML-KEM's.

    static byte[][] encapsulate(PublicKey key) throws Exception {
        KeyGenerator generator = KeyGenerator.getInstance("ML-KEM", PROVIDER);
        generator.init(new KEMGenerateSpec.Builder(key, "secret", 256).withNoKdf().build());
        SecretKeyWithEncapsulation secret = (SecretKeyWithEncapsulation) generator.generateKey();
        return new byte[][] {secret.getEncapsulation(), secret.getEncoded()};
    }

    static byte[] decapsulate(PrivateKey key, byte[] ciphertext) throws Exception {
        KeyGenerator generator = KeyGenerator.getInstance("ML-KEM", PROVIDER);
        generator.init(new KEMExtractSpec.Builder(key, ciphertext, "secret", 256).withNoKdf().build());
        return generator.generateKey().getEncoded();
    }

    static PrivateKey from(MLKEMPrivateKeySpec spec) throws Exception {
        return KeyFactory.getInstance("ML-KEM", PROVIDER).generatePrivate(spec);
    }

    /** The same key without its seed. */
    static PrivateKey expanded(MLKEMPrivateKey key) throws Exception {
        byte[] publicData = ((MLKEMPublicKey) key.getPublicKey()).getPublicData();
        return from(new MLKEMPrivateKeySpec(key.getParameterSpec(), key.getPrivateData(), publicData));
    }

    /** A key in this form, or nothing if this version has no such form: one knows the tags of RFC 9935 or does not. */
    static Object inForm(String form, MLKEMPrivateKey key) throws Exception {
        boolean tagged = key.getEncoded().length != 84;
        switch (form) {
            case "default":
                return key;
            case "encrypted":
                return encrypted(key, null);
            case "sha256encrypted":
                return encrypted(key, PKCS8Generator.PRF_HMACSHA256);
            case "seedonly":
                return tagged ? key.getPrivateKey(true) : null;
            case "privonly":
                return tagged ? expanded(key) : null;
            case "untagged":
                return tagged ? null : key;
            case "barepriv":
                return tagged ? null : expanded(key);
            default:
                throw new IllegalArgumentException(form);
        }
    }

    static void write(String who, String set) throws Exception {
        String[] forms = {"default", "seedonly", "privonly", "untagged", "barepriv", "encrypted", "sha256encrypted"};
        for (String form : forms) {
            KeyPair pair = KeyPairGenerator.getInstance("ML-KEM-" + set, PROVIDER).generateKeyPair();
            Object key = inForm(form, (MLKEMPrivateKey) pair.getPrivate());
            if (key == null) {
                continue;
            }
            String stem = who + "-" + set + "-" + form;
            pem(path(stem, "priv.pem"), key);
            pem(path(stem, "pub.pem"), pair.getPublic());
            byte[][] both = encapsulate(pair.getPublic());
            Files.write(path(stem, "ct"), both[0]);
            Files.write(path(stem, "ss"), both[1]);
        }
    }

    static void read(String who, String set) throws Exception {
        String all = "kemstone-" + set + "-all";
        byte[] ciphertext = Files.readAllBytes(path(all, "ct"));
        byte[] secret = Files.readAllBytes(path(all, "ss"));
        for (String form : new String[] {"seed", "expanded", "both", "encrypted", "untagged", "bare"}) {
            String read;
            try {
                PrivateKey key = form.equals("bare")
                        ? from(new MLKEMPrivateKeySpec(
                                MLKEMParameterSpec.fromName("ML-KEM-" + set), Files.readAllBytes(path(all, "seed"))))
                        : privateKey(path("kemstone-" + set + "-" + form, "priv.pem"));
                read = Arrays.equals(decapsulate(key, ciphertext), secret) ? "y" : "n: another secret";
            } catch (Exception error) {
                read = "n: " + error;
            }
            System.out.println(who + " " + set + " " + form + " " + read);
        }
        PublicKey key = converter().getPublicKey((SubjectPublicKeyInfo) pem(path(all, "pub.pem")));
        PrivateKey owner = privateKey(path("kemstone-" + set + "-expanded", "priv.pem"));
        byte[][] both = encapsulate(key);
        boolean same = Arrays.equals(decapsulate(owner, both[0]), both[1]);
        System.out.println(who + " " + set + " public " + (same ? "y" : "n: another secret"));
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("version")) {
            System.out.println(PROVIDER.getInfo().replaceAll(".* v", ""));
            return;
        }
        directory = arguments[1];
        for (String set : new String[] {"512", "768", "1024"}) {
            if (arguments[0].equals("write")) {
                write(arguments[2], set);
            } else {
                read(arguments[2], set);
            }
        }
    }
}
