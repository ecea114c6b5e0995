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
 */
public record ForkServerOptions(
    int channelDescriptor,
    int listenDescriptor,
    boolean serialHeap,
    boolean collapse,
    DescriptorPolicy policy,
    @Nullable Confinement confinement) {}
