package io.pilotlight.descriptor;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.pilotlight.descriptor.OpenSocket.State;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Timeout;

/** A text is a policy, which can be applied and is the same when it is read again, or refused. */
@Timeout(60)
final class DescriptorPolicyFuzzTest {
  private static final List<OpenDescriptor> OPEN = descriptors();

  @FuzzTest
  void textIsAPolicyOrRefused(byte[] input) throws PolicyException {
    DescriptorPolicy policy;
    try {
      policy = DescriptorPolicy.parse(new String(input, StandardCharsets.UTF_8));
    } catch (PolicyException e) {
      assertThat(e.line()).isPositive();
      assertThat(e.reason()).isNotBlank();
      return;
    }
    assertThat(DescriptorPolicy.parse(policy.text())).isEqualTo(policy);
    for (OpenDescriptor open : OPEN) {
      policy
          .ruleFor(open)
          .ifPresent(rule -> assertThat(rule.kind().actions()).contains(rule.action()));
    }
  }

  private static List<OpenDescriptor> descriptors() {
    InetSocketAddress four = at(new byte[] {10, 1, 2, 3}, 5432);
    InetSocketAddress six = at(new byte[16], 443);
    return List.of(
        new OpenDescriptor(0, DescriptorKind.FILE, "/"),
        new OpenDescriptor(3, DescriptorKind.FILE, "/var/log/app/today.log (deleted)"),
        new OpenDescriptor(4, DescriptorKind.FILE, "/" + "a".repeat(1_000)),
        new OpenDescriptor(5, DescriptorKind.PIPE, "pipe:[1]"),
        new OpenDescriptor(6, DescriptorKind.FILEDESCRIPTOR, "anon_inode:inotify"),
        new OpenDescriptor(7, "socket:[1]", OpenSocket.UNKNOWN),
        new OpenDescriptor(8, "socket:[2]", OpenSocket.unix(State.LISTENING, "/run/a.sock", "")),
        new OpenDescriptor(9, "socket:[3]", OpenSocket.unix(State.CONNECTED, "", "@abstract")),
        new OpenDescriptor(
            10, "socket:[4]", OpenSocket.internet("TCP", State.CONNECTED, four, four)),
        new OpenDescriptor(11, "socket:[5]", OpenSocket.internet("UDP", State.OTHER, six, null)));
  }

  private static InetSocketAddress at(byte[] address, int port) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(address), port);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("an address of the right length is one", e);
    }
  }
}
