package io.pilotlight.daemon.http;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;

/** A certificate with its private key, from PEM files (RFC 7468). */
public final class ServerCertificate {
  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");

  private final KeyStore keys;

  private ServerCertificate(KeyStore keys) {
    this.keys = keys;
  }

  /**
   * Reads both.
   *
   * @param certificate the server's, then those that lead from it to a root
   * @param key in PKCS #8 without a password
   * @throws IOException if one cannot be read, or is not of that form, naming the file
   */
  public static ServerCertificate read(Path certificate, Path key) throws IOException {
    PrivateKey privateKey = privateKey(key);
    try {
      Certificate[] chain =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(certificate)))
              .toArray(Certificate[]::new);
      if (chain.length == 0) {
        throw new IOException(certificate + " holds no certificate in PEM form");
      }
      if (!chain[0].getPublicKey().getAlgorithm().equals(privateKey.getAlgorithm())) {
        throw new IOException(
            "the key in " + key + " is not that of the first certificate in " + certificate);
      }
      KeyStore keys = KeyStore.getInstance("PKCS12");
      keys.load(null, null);
      keys.setKeyEntry("server", privateKey, new char[0], chain);
      return new ServerCertificate(keys);
    } catch (GeneralSecurityException e) {
      throw new IOException(certificate + " holds no usable certificate: " + e.getMessage(), e);
    }
  }

  private static PrivateKey privateKey(Path file) throws IOException {
    Matcher pem = KEY.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
    if (!pem.find()) {
      throw new IOException(
          file
              + " holds no private key that can be read (BEGIN PRIVATE KEY); 'openssl pkcs8 -topk8"
              + " -nocrypt -in "
              + file
              + "' makes one of another form");
    }
    PKCS8EncodedKeySpec encoded;
    try {
      encoded = new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem.group(1)));
    } catch (IllegalArgumentException e) {
      throw new IOException(file + " is damaged: " + e.getMessage(), e);
    }
    for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
      PrivateKey key = decode(algorithm, encoded);
      if (key != null) {
        return key;
      }
    }
    throw new IOException(file + " holds a private key that is not of RSA, EC or EdDSA");
  }

  /** Null if it is one of another algorithm. */
  private static @Nullable PrivateKey decode(String algorithm, PKCS8EncodedKeySpec encoded) {
    try {
      return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
    } catch (GeneralSecurityException e) {
      return null;
    }
  }

  /** What Jetty's connector needs. */
  SslContextFactory.Server sslContext() {
    SslContextFactory.Server factory = new SslContextFactory.Server();
    factory.setKeyStore(keys);
    factory.setKeyStorePassword("");
    // One certificate serves every name, also a client that says only an address.
    factory.setSniRequired(false);
    return factory;
  }
}
