package io.pilotlight.descriptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pilotlight.descriptor.OpenSocket.State;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class DescriptorPolicyTest {
  private static final OpenDescriptor LOG =
      new OpenDescriptor(7, DescriptorKind.FILE, "/var/log/app/today.log");
  private static final OpenDescriptor INOTIFY =
      new OpenDescriptor(8, DescriptorKind.FILEDESCRIPTOR, "anon_inode:inotify");

  /** The example of CRaC's documentation. */
  private static final String CRAC_EXAMPLE =
      """
      type: file
      path: /path/to/my/file
      action: close
      ---
      # Here is some comment
      type: FILE
      path: **/*.log
      action: reopen
      """;

  @Test
  void policiesOfCracAreRead() throws Exception {
    DescriptorPolicy policy = DescriptorPolicy.parse(CRAC_EXAMPLE);
    assertThat(action(policy, LOG)).isEqualTo(DescriptorAction.REOPEN);
    assertThat(action(policy, new OpenDescriptor(3, DescriptorKind.FILE, "/path/to/my/file")))
        .isEqualTo(DescriptorAction.CLOSE);
    assertThat(policy.ruleFor(INOTIFY)).isEmpty();
  }

  @Test
  void removedFileIsKnownByItsPath() throws Exception {
    OpenDescriptor removed =
        new OpenDescriptor(3, DescriptorKind.FILE, "/path/to/my/file (deleted)");
    assertThat(action(DescriptorPolicy.parse(CRAC_EXAMPLE), removed))
        .isEqualTo(DescriptorAction.CLOSE);
  }

  @Test
  void firstRuleThatMatchesDecides() throws Exception {
    DescriptorPolicy policy =
        DescriptorPolicy.parse("type: file\naction: error\n---\ntype: file\naction: close");
    assertThat(action(policy, LOG)).isEqualTo(DescriptorAction.ERROR);
    assertThat(action(DescriptorPolicy.parse(CRAC_EXAMPLE).then(policy), LOG))
        .isEqualTo(DescriptorAction.REOPEN);
  }

  @Test
  void textIsReadAgainToTheSame() throws Exception {
    DescriptorPolicy policy = DescriptorPolicy.parse(CRAC_EXAMPLE);
    assertThat(DescriptorPolicy.parse(policy.text()).text()).isEqualTo(policy.text());
    assertThat(DescriptorPolicy.parse("\n# nothing\n---\n").rules()).isEmpty();
  }

  static List<Arguments> sockets() throws Exception {
    InetSocketAddress local = at("127.0.0.1", 8080);
    InetSocketAddress remote = at("10.1.2.3", 5432);
    InetSocketAddress wide = at("::1", 443);
    OpenSocket database = OpenSocket.internet("TCP", State.CONNECTED, local, remote);
    OpenSocket listener = OpenSocket.internet("TCP", State.LISTENING, local, null);
    OpenSocket six = OpenSocket.internet("TCP", State.CONNECTED, wide, wide);
    OpenSocket unix = OpenSocket.unix(State.CONNECTED, "", "/run/docker.sock");
    return List.of(
        Arguments.of("remotePort: 5432", database, true),
        Arguments.of("remotePort: 5433", database, false),
        Arguments.of("remotePort: *", database, true),
        Arguments.of("remotePort: *", listener, false),
        Arguments.of("remoteAddress: 10.1.2.3", database, true),
        Arguments.of("localAddress: localhost\nlocalPort: 8080", listener, true),
        Arguments.of("localAddress: *", unix, false),
        Arguments.of("family: ipv4", database, true),
        Arguments.of("family: inet6", database, false),
        Arguments.of("family: IPv6", six, true),
        Arguments.of("remoteAddress: ::1", six, true),
        Arguments.of("family: ip", unix, false),
        Arguments.of("family: unix", unix, true),
        Arguments.of("remotePath: '/run/*.sock'", unix, true),
        Arguments.of("localPath: \"**\"", unix, false));
  }

  @ParameterizedTest
  @MethodSource("sockets")
  void socketIsChosen(String condition, OpenSocket socket, boolean chosen) throws Exception {
    DescriptorPolicy policy =
        DescriptorPolicy.parse("type: socket\n" + condition + "\naction: close");
    assertThat(policy.ruleFor(new OpenDescriptor(4, "socket:[1]", socket)).isPresent())
        .isEqualTo(chosen);
  }

  @Test
  void rawDescriptorIsChosenWhateverItIs() throws Exception {
    assertThat(action("type: filedescriptor\nvalue: 7\naction: inherit", LOG))
        .isEqualTo(DescriptorAction.INHERIT);
    assertThat(action("type: filedescriptor\nregex: .*inotify\naction: ignore", INOTIFY))
        .isEqualTo(DescriptorAction.IGNORE);
    assertThat(
            DescriptorPolicy.parse("type: filedescriptor\naction: ignore").ruleFor(LOG).isPresent())
        .isFalse();
  }

  @Test
  void allowingRuleAllowsIt() throws Exception {
    InetSocketAddress peer = at("10.1.2.3", 5432);
    OpenSocket connected = OpenSocket.internet("TCP", State.CONNECTED, peer, peer);
    OpenSocket listener = OpenSocket.internet("TCP", State.LISTENING, peer, null);
    for (OpenDescriptor open :
        List.of(
            LOG,
            INOTIFY,
            new OpenDescriptor(5, DescriptorKind.PIPE, "pipe:[1]"),
            new OpenDescriptor(6, "socket:[1]", connected),
            new OpenDescriptor(6, "socket:[1]", listener),
            new OpenDescriptor(6, "socket:[1]", OpenSocket.unix(State.OTHER, "/run/a", "")),
            new OpenDescriptor(6, "socket:[1]", OpenSocket.UNKNOWN))) {
      String rule = open.allowingRule().replace("; ", "\n");
      assertThat(DescriptorPolicy.parse(rule).ruleFor(open)).as(rule).isPresent();
    }
  }

  static List<Arguments> malformed() {
    return List.of(
        Arguments.of("type file\naction: close", 1, "'type file' is no 'key: value'"),
        Arguments.of("type: file\naction: opne", 2, "action 'opne' is not known"),
        Arguments.of("type: files\naction: close", 1, "type 'files' is not known"),
        Arguments.of("\n\ntype: file\npath: /a", 3, "has no 'action'"),
        Arguments.of("path: /a\naction: close", 1, "has no 'type'"),
        Arguments.of("type: file\naction: close\ntype: file", 3, "line 1 already"),
        Arguments.of("type: file\nport: 1\naction: close", 2, "has no key 'port'"),
        Arguments.of("type: file\naction: close\npath:", 3, "no value"),
        Arguments.of("type: file\naction: close\npath: [", 3, "no glob"),
        Arguments.of("type: filedescriptor\nregex: (\naction: close", 2, "no regular expression"),
        Arguments.of("type: filedescriptor\nvalue: x\naction: close", 2, "no descriptor"),
        Arguments.of(
            "type: filedescriptor\nregex: (a{20}){20}\naction: close", 2, "counts in braces"),
        Arguments.of("type: pipe\naction: reopen", 2, "none of type 'pipe'"),
        Arguments.of("type: socket\nlocalPort: 65536\naction: close", 2, "no port"),
        Arguments.of("type: socket\nlocalAddress: example.org\naction: close", 2, "no IP address"),
        Arguments.of("type: socket\nremoteAddress: 1.2.3.400\naction: close", 2, "no IP address"),
        Arguments.of("type: socket\nremoteAddress: .:1\naction: close", 2, "no IP address"),
        Arguments.of("type: socket\nfamily: x25\naction: close", 2, "family 'x25' is not known"),
        Arguments.of("type: pipe\naction: close\nwarn: maybe", 3, "neither true nor false"));
  }

  @ParameterizedTest
  @MethodSource("malformed")
  void malformedPolicyIsRefusedWithItsLine(String text, int line, String message) {
    assertThatThrownBy(() -> DescriptorPolicy.parse(text))
        .isInstanceOfSatisfying(
            PolicyException.class, e -> assertThat(e.line()).as(e.getMessage()).isEqualTo(line))
        .hasMessageContaining("line " + line + ": ")
        .hasMessageContaining(message);
  }

  private static DescriptorAction action(String policy, OpenDescriptor open) throws Exception {
    return action(DescriptorPolicy.parse(policy), open);
  }

  private static DescriptorAction action(DescriptorPolicy policy, OpenDescriptor open) {
    return policy.ruleFor(open).orElseThrow().action();
  }

  private static InetSocketAddress at(String address, int port) throws Exception {
    return new InetSocketAddress(InetAddress.getByName(address), port);
  }
}
