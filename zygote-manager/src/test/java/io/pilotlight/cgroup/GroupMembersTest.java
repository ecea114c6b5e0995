package io.pilotlight.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Of directories that look like groups. */
@Timeout(30)
final class GroupMembersTest {
  @TempDir Path group;

  /** In one step: a reader is to see no empty file in between. */
  private void members(String pids) throws IOException {
    Path written = Files.writeString(group.resolve("written"), pids);
    Files.move(written, group.resolve("cgroup.procs"), StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void membersThatLeaveAreWaitedFor() throws Exception {
    members("17\n18\n");
    CompletableFuture<Void> wait =
        CompletableFuture.runAsync(
            () -> {
              try {
                GroupMembers.awaitNone(group, Duration.ofHours(1));
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    members("18\n");
    assertThat(wait).isNotDone();
    members("");
    wait.get();
  }

  @Test
  void membersThatStayAreWaitedForOnlySoLong() throws Exception {
    members("17\n");
    GroupMembers.awaitNone(group, Duration.ofMillis(20));
    assertThat(GroupMembers.of(group)).containsExactly(17);
  }

  @Test
  void nobodyIsInAGroupThatIsGone() throws Exception {
    GroupMembers.awaitNone(group.resolve("gone"), Duration.ofHours(1));
    assertThat(GroupMembers.of(group.resolve("gone"))).isEmpty();
  }
}
