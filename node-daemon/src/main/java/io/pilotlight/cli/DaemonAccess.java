package io.pilotlight.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * Where a daemon is, and how it lets one in.
 *
 * @param uri its address
 * @param token what requests carry; null if nothing
 * @param trust decides whether it is the one that it says; null for what this JVM trusts
 */
public record DaemonAccess(URI uri, @Nullable String token, @Nullable SSLContext trust) {

  /** A daemon that takes everybody's requests, by plain HTTP. */
  public static DaemonAccess open(URI uri) {
    return new DaemonAccess(uri, null, null);
  }

  /** Reads a token from a file. */
  static String token(Path file) throws CliException {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new CliException("--token-file '" + file + "' cannot be read: " + e);
    }
  }

  /** Trusts the certificates of a PEM file and nobody else. */
  static SSLContext trusting(Path file) throws CliException {
    try (InputStream in = Files.newInputStream(file)) {
      KeyStore roots = KeyStore.getInstance("PKCS12");
      roots.load(null, null);
      int count = 0;
      for (Certificate root : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        roots.setCertificateEntry("root-" + count++, root);
      }
      if (count == 0) {
        throw new CliException("--ca-cert '" + file + "' holds no certificate in PEM form");
      }
      TrustManagerFactory managers =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      managers.init(roots);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, managers.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new CliException("--ca-cert '" + file + "' cannot be used: " + e);
    }
  }
}
