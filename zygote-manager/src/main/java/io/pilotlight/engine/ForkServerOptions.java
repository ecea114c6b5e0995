package io.pilotlight.engine;

import io.pilotlight.descriptor.DescriptorPolicy;
import org.jspecify.annotations.Nullable;

/**
 * How a fork server is installed.
 *
 * @param channelDescriptor the agent's control channel in the process
 * @param listenDescriptor a listening SOCK_SEQPACKET socket in the process, for requests
 * @param serialHeap whether the JVM runs the Serial collector, so that the unused part of eden can
 *     be given back
 * @param collapse whether memory is put into huge pages before
 * @param policy what is done about descriptors that are open
 * @param confinement what the process was started in by {@link ConfinedStart}, and its clones are
 *     too; null if it was not
 * @param streams which standard streams its clones get
 */
public record ForkServerOptions(
    int channelDescriptor,
    int listenDescriptor,
    boolean serialHeap,
    boolean collapse,
    DescriptorPolicy policy,
    @Nullable Confinement confinement,
    Streams streams) {

  /** Standard streams that come with the request for a clone, behind its channel. */
  public enum Streams {
    /** One descriptor for stdout and stderr; stdin is the fork server's. */
    OUTPUT(1),
    /** One for each of stdin, stdout and stderr. */
    ALL(3);

    private final int descriptors;

    Streams(int descriptors) {
      this.descriptors = descriptors;
    }

    /** How many descriptors come. */
    int descriptors() {
      return descriptors;
    }
  }
}
