package io.pilotlight.daemon;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Dependencies go one way: daemon, zygote manager, recorder and agent. */
@AnalyzeClasses(packages = "io.pilotlight", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
  private static final String[] ABOVE_THE_AGENT = {
    "io.pilotlight.linux..",
    "io.pilotlight.tracee..",
    "io.pilotlight.engine..",
    "io.pilotlight.zygote..",
    "io.pilotlight.daemon..",
    "io.pilotlight.cli.."
  };

  @ArchTest
  static final ArchRule theAgentKnowsNobody =
      noClasses()
          .that()
          .resideInAPackage("io.pilotlight.agent..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ABOVE_THE_AGENT);

  @ArchTest
  static final ArchRule theRecorderKnowsNobody =
      noClasses()
          .that()
          .resideInAPackage("io.pilotlight.recorder..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ABOVE_THE_AGENT)
          .orShould()
          .dependOnClassesThat()
          .resideInAPackage("io.pilotlight.agent..");

  @ArchTest
  static final ArchRule onlyTheWireFormatOfTheAgentIsShared =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.pilotlight.agent..", "org.crac..", "io.pilotlight.crac..")
          .should()
          .dependOnClassesThat(
              DescribedPredicate.describe(
                  "belong to the agent, its wire format excepted",
                  type ->
                      type.getPackageName().startsWith("io.pilotlight.agent")
                          && !type.getPackageName().startsWith("io.pilotlight.agent.wire")));

  @ArchTest
  static final ArchRule nativeCodeIsCalledInOnePackage =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.pilotlight.linux..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("com.sun.jna..");

  @ArchTest
  static final ArchRule theZygoteManagerIsLayered =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("linux")
          .definedBy("io.pilotlight.linux..")
          .layer("tracee")
          .definedBy("io.pilotlight.tracee..")
          .layer("cgroup")
          .definedBy("io.pilotlight.cgroup..")
          .layer("engine")
          .definedBy("io.pilotlight.engine..")
          .layer("zygote")
          .definedBy("io.pilotlight.zygote..")
          .layer("daemon")
          .definedBy("io.pilotlight.daemon..")
          .layer("cli")
          .definedBy("io.pilotlight.cli..")
          .whereLayer("cli")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("daemon")
          .mayOnlyBeAccessedByLayers("cli")
          .whereLayer("zygote")
          .mayOnlyBeAccessedByLayers("daemon", "cli")
          .whereLayer("engine")
          .mayOnlyBeAccessedByLayers("zygote", "daemon", "cli")
          .whereLayer("cgroup")
          .mayOnlyBeAccessedByLayers("zygote", "daemon", "cli")
          .whereLayer("tracee")
          .mayOnlyBeAccessedByLayers("engine", "zygote");

  @ArchTest
  static final ArchRule theDaemonIsLayered =
      layeredArchitecture()
          .consideringOnlyDependenciesInLayers()
          .layer("time")
          .definedBy("io.pilotlight.daemon.time")
          .layer("pool")
          .definedBy("io.pilotlight.daemon.pool")
          .layer("function")
          .definedBy("io.pilotlight.daemon.function")
          .layer("metrics")
          .definedBy("io.pilotlight.daemon.metrics")
          .layer("route")
          .definedBy("io.pilotlight.daemon.route")
          .layer("http")
          .definedBy("io.pilotlight.daemon.http")
          .layer("daemon")
          .definedBy("io.pilotlight.daemon")
          .whereLayer("daemon")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("http")
          .mayOnlyBeAccessedByLayers("daemon")
          .whereLayer("route")
          .mayOnlyBeAccessedByLayers("http", "daemon")
          .whereLayer("metrics")
          .mayOnlyBeAccessedByLayers("route", "http", "daemon")
          .whereLayer("function")
          .mayOnlyBeAccessedByLayers("metrics", "route", "http", "daemon")
          .whereLayer("pool")
          .mayOnlyBeAccessedByLayers("function", "metrics", "route", "http", "daemon");

  private ArchitectureTest() {}
}
