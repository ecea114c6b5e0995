package io.pilotlight.zygote;

import io.pilotlight.engine.ImageEngine;
import io.pilotlight.engine.ImageState.KernelArea;
import io.pilotlight.linux.Platform;
import io.pilotlight.linux.ProcessMemory;
import io.pilotlight.zygote.ImageException.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * What a JVM in memory depends on of the machine it runs on: code that was compiled for this
 * processor, functions that the C library chose for it, and the kernel's vdso, of which both keep
 * addresses.
 *
 * @param kernel the kernel's release, for information
 * @param glibc the C library's version, for information; the library's file is checked
 * @param processorVendor who made the processor: makers place extended state differently
 * @param processorFeatures what it can do, as /proc/cpuinfo has it
 * @param vdso SHA-256 of the vdso
 * @param kernelAreas names and sizes of the vdso and its data
 * @param bootId names the boot
 */
record HostTraits(
    String kernel,
    String glibc,
    String processorVendor,
    SortedSet<String> processorFeatures,
    String vdso,
    List<String> kernelAreas,
    String bootId) {
  private static final String VDSO = "[vdso]";

  /** Of this machine. */
  static HostTraits current() throws IOException {
    Platform platform = Platform.current();
    List<KernelArea> areas = ImageEngine.kernelAreas((int) ProcessHandle.current().pid());
    return new HostTraits(
        platform.kernel(),
        platform.glibc(),
        processor("vendor_id"),
        new TreeSet<>(List.of(processor("flags").split(" +", -1))),
        vdso(areas),
        areas.stream().map(area -> area.name() + " " + area.bytes()).toList(),
        Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip());
  }

  private static String processor(String field) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
      int colon = line.indexOf(':');
      if (colon > 0 && line.substring(0, colon).strip().equals(field)) {
        return line.substring(colon + 1).strip();
      }
    }
    throw new IOException("/proc/cpuinfo has no " + field);
  }

  private static String vdso(List<KernelArea> areas) throws IOException {
    for (KernelArea area : areas) {
      if (area.name().equals(VDSO)) {
        ProcessMemory own = new ProcessMemory((int) ProcessHandle.current().pid());
        ByteBuffer code = own.read(area.start(), (int) area.bytes());
        try {
          MessageDigest digest = MessageDigest.getInstance("SHA-256");
          digest.update(code);
          return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
          throw new IllegalStateException("every Java platform has SHA-256", e);
        }
      }
    }
    throw new IOException("this kernel gives processes no vdso");
  }

  /**
   * Whether a JVM of that machine can run on this one.
   *
   * @param here this machine
   */
  void require(HostTraits here) throws ImageException {
    if (!processorVendor.equals(here.processorVendor)) {
      throw new ImageException(
          Reason.PROCESSOR,
          "It was made on a processor of "
              + processorVendor
              + "; this one is of "
              + here.processorVendor
              + ".");
    }
    SortedSet<String> missing = new TreeSet<>(processorFeatures);
    missing.removeAll(here.processorFeatures);
    if (!missing.isEmpty()) {
      throw new ImageException(
          Reason.PROCESSOR,
          "It was made on a processor with "
              + String.join(", ", missing)
              + ", which this one lacks; code in it may use that.");
    }
    if (!vdso.equals(here.vdso) || !kernelAreas.equals(here.kernelAreas)) {
      throw new ImageException(
          Reason.KERNEL,
          "It was made under Linux "
              + kernel
              + ", whose vdso is not that of this kernel, "
              + here.kernel
              + "; programs in it call into the vdso.");
    }
  }
}
