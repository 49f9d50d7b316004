package dev.headrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.Secret;
import dev.headrace.config.SettingsLocator;
import jakarta.servlet.ServletContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where settings are looked for; JNDI and the real containers are tested in filter/containers. */
class ApplicationSettingsTest {

  @TempDir private Path folder;

  @Test
  void initParameterThenContextParameterThenTheApplicationsOwnFile() throws Exception {
    String init = file("/init").toString();
    String parameter = file("/parameter").toString();

    assertThat(find(context(parameter, "/inside"), init).settings().mount()).isEqualTo("/init");
    LoadedSettings byParameter = find(context(parameter, "/inside"), null);
    assertThat(byParameter.settings().mount()).isEqualTo("/parameter");
    assertThat(byParameter.source())
        .isEqualTo(parameter + ", named by the context parameter headrace.config");
    assertThat(find(context(null, "/inside"), " ").settings().mount()).isEqualTo("/inside");
    assertThat(ApplicationSettings.locator(context(null, null)).find()).isEmpty();
  }

  @Test
  void aNamedFileThatIsMissingIsAnErrorThatTellsWhoNamedIt() {
    String absent = folder.resolve("absent.yaml").toString();
    assertThatThrownBy(() -> find(context(absent, "/inside"), null))
        .hasMessageContaining("the context parameter headrace.config: " + absent)
        .hasMessageContaining("does not exist");
    assertThatThrownBy(() -> find(context(null, "/inside"), absent))
        .hasMessageContaining("the init-parameter config: " + absent)
        .hasMessageContaining("does not exist");
  }

  @Test
  void withoutAFileTheLogSaysWhereItWasLookedFor() {
    SettingsLocator locator =
        ApplicationSettings.locator(context(null, null))
            .code(GatewaySettings.builder().upstreamApiKey(Secret.of("k")));
    assertThat(locator.load().source())
        .isEqualTo(
            "code and environment (no settings file; looked for the init-parameter config, the context"
                + " parameter headrace.config, the JNDI entry java:comp/env/headrace/config, the system"
                + " property headrace.config, the environment variable HEADRACE_CONFIG,"
                + " WEB-INF/headrace.yaml, headrace.yaml on the class path)");
  }

  /** Such as one that was made with jlink. */
  @Test
  void aJavaWithoutTheNamingModuleIsNoObstacle() throws Exception {
    ClassLoader loader = new WithoutNaming(getClass().getClassLoader());
    Class<?> settings = loader.loadClass(ApplicationSettings.class.getName());
    assertThat(settings.getClassLoader()).isSameAs(loader);
    Method locator = settings.getMethod("locator", ServletContext.class);
    ServletContext context = context(file("/parameter").toString(), null);
    Object found = locator.invoke(null, context);
    assertThat(found).isNotNull();

    Class<?> jndi = loader.loadClass(ApplicationSettings.class.getName() + "$Jndi");
    assertThatThrownBy(() -> jndi.getDeclaredMethod("lookUp"))
        .as("the test does what it says")
        .isInstanceOf(NoClassDefFoundError.class);
  }

  private static LoadedSettings find(ServletContext context, @Nullable String configFile) {
    return ApplicationSettings.locator(context, configFile).find().orElseThrow();
  }

  private Path file(String mount) throws IOException {
    return Files.writeString(folder.resolve(mount.substring(1) + ".yaml"), yaml(mount));
  }

  private static String yaml(String mount) {
    return "mount: " + mount + "\nupstream: {api-key: k}\n";
  }

  /**
   * @param mountInside the mount that WEB-INF/headrace.yaml names; null if there is no such file
   */
  private static ServletContext context(@Nullable String parameter, @Nullable String mountInside) {
    return (ServletContext)
        Proxy.newProxyInstance(
            ApplicationSettingsTest.class.getClassLoader(),
            new Class<?>[] {ServletContext.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "getInitParameter" ->
                      arguments[0].equals("headrace.config") ? parameter : null;
                  case "getResourceAsStream" ->
                      arguments[0].equals("/WEB-INF/headrace.yaml") && mountInside != null
                          ? new ByteArrayInputStream(
                              yaml(mountInside).getBytes(StandardCharsets.UTF_8))
                          : null;
                  case "getRealPath" -> null;
                  case "getClassLoader" -> ApplicationSettingsTest.class.getClassLoader();
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  /** Has everything but JNDI. */
  private static final class WithoutNaming extends ClassLoader {

    WithoutNaming(ClassLoader parent) {
      super(parent);
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (name.startsWith("javax.naming.")) {
        throw new ClassNotFoundException(name);
      }
      if (!name.startsWith(ApplicationSettings.class.getName())) {
        return super.loadClass(name, resolve);
      }
      Class<?> known = findLoadedClass(name);
      if (known != null) {
        return known;
      }
      String resource = name.replace('.', '/') + ".class";
      try (InputStream in = getParent().getResourceAsStream(resource)) {
        if (in == null) {
          throw new ClassNotFoundException(name);
        }
        byte[] bytes = in.readAllBytes();
        return defineClass(name, bytes, 0, bytes.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }
}
