package dev.headrace;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import jakarta.servlet.http.HttpServletRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The arrows between the packages, and what must not run inside somebody else's server. */
class ArchitectureTest {

  private static final JavaClasses CORE =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.headrace");

  /** Each package of ours and what else of ours it may use; the root package may use all. */
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          spi,
          config,
          sse,
          messages,  sse
          output,    messages sse
          usage,     config messages observe spi
          observe,
          logging,
          chain,
          admission, config messages observe
          upstream,  config messages observe sse
          identity,  config messages spi
          relay,     config messages sse admission identity upstream observe output usage spi chain
          """)
  void packageUsesOnlyThePackagesBelowIt(String name, String mayUse) {
    String[] allowed =
        Stream.concat(
                Stream.of(name), mayUse == null ? Stream.of() : Stream.of(mayUse.split(" ", -1)))
            .map(each -> "dev.headrace." + each + "..")
            .toArray(String[]::new);

    noClasses()
        .that()
        .resideInAPackage("dev.headrace." + name + "..")
        .should()
        .dependOnClassesThat(
            resideInAnyPackage("dev.headrace..")
                .and(DescribedPredicate.not(resideInAnyPackage(allowed))))
        .check(CORE);
  }

  @Test
  void formatsAndSettingsKnowNeitherServletsNorTheHttpClient() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.headrace.sse..",
            "dev.headrace.messages..",
            "dev.headrace.config..",
            "dev.headrace.admission..",
            "dev.headrace.spi..",
            "dev.headrace.usage..",
            "dev.headrace.output..")
        .and()
        .doNotHaveFullyQualifiedName("dev.headrace.spi.UserResolver") // is given the request
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("jakarta.servlet..", "org.apache.hc..")
        .check(CORE);
  }

  @Test
  void onlyAdmissionKnowsTheLibrariesThatCountForEachUser() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.headrace.admission..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.github.resilience4j.ratelimiter..", "com.github.benmanes.caffeine..")
        .check(CORE);
  }

  /** A registry keeps what it has made for ever, and users can be invented. */
  @Test
  void nothingOfAUserIsKeptInARegistry() {
    noClasses()
        .that()
        .resideInAPackage("dev.headrace.admission..")
        .should()
        .dependOnClassesThat()
        .haveSimpleNameEndingWith("Registry")
        .check(CORE);
  }

  @Test
  void onlyTheUpstreamPackageKnowsTheHttpClient() {
    noClasses()
        .that()
        .resideOutsideOfPackage("dev.headrace.upstream..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.hc..")
        .check(CORE);
  }

  /** It is 2 MB of jar, and not among what an application gets with ours. */
  @Test
  void nothingNeedsJacksonDatabind() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("tools.jackson.databind..", "com.fasterxml.jackson..")
        .check(CORE);
  }

  @Test
  void publicApiShowsNoTypeOfALibraryThatMayBeRelocated() {
    methods()
        .that()
        .arePublic()
        .and()
        .areDeclaredInClassesThat()
        .resideInAnyPackage("dev.headrace", "dev.headrace.config", "dev.headrace.spi")
        .and()
        .areDeclaredInClassesThat()
        .arePublic()
        .should(
            showNoTypeOf(
                "tools.jackson",
                "org.apache.hc",
                "io.github.resilience4j",
                "com.github.benmanes.caffeine"))
        .check(CORE);
  }

  /** These start JVM-wide threads that keep an undeployed application's class loader alive. */
  @Test
  void nothingRunsOnThreadsThatOutliveTheApplication() {
    leakingCalls().check(CORE);
    fields()
        .that()
        .areStatic()
        .should(
            new ArchCondition<>("not be an executor") {
              @Override
              public void check(
                  com.tngtech.archunit.core.domain.JavaField field, ConditionEvents events) {
                if (field.getRawType().isAssignableTo(Executor.class)) {
                  events.add(SimpleConditionEvent.violated(field, field.getFullName()));
                }
              }
            })
        .check(CORE);
  }

  private static ArchRule leakingCalls() {
    return noClasses()
        .should()
        .callMethod(
            CompletableFuture.class, "orTimeout", long.class, java.util.concurrent.TimeUnit.class)
        .orShould()
        .callMethodWhere(
            DescribedPredicate.describe(
                "uses the JVM's own timers or pool",
                call ->
                    (call.getTargetOwner().isEquivalentTo(CompletableFuture.class)
                            && (call.getName().equals("completeOnTimeout")
                                || call.getName().equals("delayedExecutor")))
                        || (call.getTargetOwner().isEquivalentTo(ForkJoinPool.class)
                            && call.getName().equals("commonPool"))
                        || (call.getTargetOwner()
                                .getName()
                                .equals("com.github.benmanes.caffeine.cache.Scheduler")
                            && call.getName().equals("systemScheduler"))));
  }

  @Test
  void routingUsesTheRawPathBecauseContainersDecodeItDifferently() {
    noClasses().should().callMethod(HttpServletRequest.class, "getPathInfo").check(CORE);
  }

  @Test
  void headersAreChosenByNameAndNotCopied() {
    noClasses()
        .that()
        .doNotHaveSimpleName("UpstreamHeaders") // its prefix "anthropic-" is the allow-list
        .should()
        .callMethod(HttpServletRequest.class, "getHeaderNames")
        .check(CORE);
  }

  @Test
  void everyPackageIsNullMarked() {
    classes()
        .that()
        .haveSimpleName("package-info")
        .should()
        .beAnnotatedWith(org.jspecify.annotations.NullMarked.class)
        .check(CORE);
  }

  @Test
  void theRulesFindWhatTheyAreMeantToFind() {
    JavaClasses offender = new ClassFileImporter().importClasses(Offender.class);
    assertThatThrownBy(() -> leakingCalls().check(offender))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("commonPool");
  }

  /** Does on purpose what the rules forbid. */
  private static final class Offender {
    @SuppressWarnings("unused")
    ForkJoinPool pool() {
      return ForkJoinPool.commonPool();
    }
  }

  private static ArchCondition<JavaMethod> showNoTypeOf(String... packages) {
    return new ArchCondition<>("show no type of " + String.join(", ", packages)) {
      @Override
      public void check(JavaMethod method, ConditionEvents events) {
        Stream.concat(Stream.of(method.getRawReturnType()), method.getRawParameterTypes().stream())
            .map(JavaClass::getPackageName)
            .filter(name -> Stream.of(packages).anyMatch(name::startsWith))
            .forEach(
                name ->
                    events.add(
                        SimpleConditionEvent.violated(
                            method, method.getFullName() + " shows a type of " + name)));
      }
    };
  }
}
