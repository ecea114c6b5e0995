package io.pilotlight.daemon.http;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * The secret that requests must carry: {@code Authorization: Bearer TOKEN} (RFC 6750), or the
 * header {@value #HEADER} for clients that need Authorization for something else, as AWS's do for
 * their signature. Immutable.
 */
public final class AccessToken {
  static final String HEADER = "Pilotlight-Token";
  private static final String SCHEME = "Bearer ";
  private static final int MIN_CHARS = 16;

  /** Digests are compared, so that the time tells nothing of the text, not even its length. */
  private final byte[] digest;

  private AccessToken(byte[] digest) {
    this.digest = digest;
  }

  /**
   * Reads it from a file, of which white space at the end does not count.
   *
   * @throws IOException if it cannot be read, can be read by every user, or is too short
   */
  public static AccessToken read(Path file) throws IOException {
    if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
      throw new IOException("every user can read " + file + "; chmod o-rwx it");
    }
    String token = Files.readString(file).strip();
    if (token.length() < MIN_CHARS || token.chars().anyMatch(c -> c <= ' ' || c > '~')) {
      throw new IOException(
          file
              + " holds no token: at least "
              + MIN_CHARS
              + " characters of printable ASCII without spaces are needed, such as 'openssl rand"
              + " -hex 32' prints");
    }
    return new AccessToken(sha256(token));
  }

  /** Whether a request with these headers may pass. */
  boolean allows(@Nullable String authorization, @Nullable String ownHeader) {
    if (ownHeader != null) {
      return matches(ownHeader);
    }
    return authorization != null
        && authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
        && matches(authorization.substring(SCHEME.length()).strip());
  }

  private boolean matches(String token) {
    return MessageDigest.isEqual(digest, sha256(token));
  }

  private static byte[] sha256(String text) {
    try {
      MessageDigest algorithm = MessageDigest.getInstance("SHA-256");
      return algorithm.digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
