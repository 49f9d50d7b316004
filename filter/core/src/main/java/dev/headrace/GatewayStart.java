package dev.headrace;

import dev.headrace.config.GatewaySettings;
import jakarta.servlet.ServletContext;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

final class GatewayStart {
  private GatewayStart() {}

  static Gateway fromSettingsOf(ServletContext context, @Nullable String configFile) {
    return Gateway.start(GatewaySettings.builder().build());
  }

  static Optional<GatewaySettings> findSettings(
      ServletContext context, @Nullable String configFile) {
    return Optional.empty();
  }
}
