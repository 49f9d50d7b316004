package dev.headrace.demo;

import dev.headrace.simulator.ChatFault;
import dev.headrace.simulator.ChatFaults;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Builds what the page asks for at {@code /demo/config.json}: the defaults of {@code
 * page-defaults.json} with what the environment changes, and the faults of the simulator.
 */
final class PageConfig {
  private static final JsonMapper JSON = new JsonMapper();

  private PageConfig() {}

  static byte[] json(DemoSettings settings, boolean simulated) {
    ObjectNode config = defaults();
    config.put("simulated", simulated);
    if (!settings.models().isEmpty()) {
      offer(config, settings.models());
    }
    config.put("defaultModel", config.path("models").path(0).path("id").asString());
    if (!settings.prompts().isEmpty()) {
      ArrayNode prompts = config.putArray("prompts");
      settings.prompts().forEach(text -> prompts.addObject().put("text", text));
    }
    config.put("system", settings.system());
    ArrayNode faults = config.putArray("faults");
    if (simulated) {
      addCommands(faults, "Faults", "/fault ");
      addCommands(faults, "Kinds of answers", "/show ");
    }
    return JSON.writeValueAsBytes(config);
  }

  private static ObjectNode defaults() {
    try (InputStream in = PageConfig.class.getResourceAsStream("page-defaults.json")) {
      return (ObjectNode) JSON.readTree(Objects.requireNonNull(in, "page-defaults.json"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Offers these models alone; what is known of one, such as its name, is kept. */
  private static void offer(ObjectNode config, List<String> ids) {
    JsonNode known = config.path("models");
    ArrayNode models = config.putArray("models");
    for (String id : ids) {
      ObjectNode model = models.addObject().put("id", id).put("name", id);
      for (JsonNode candidate : known) {
        if (candidate.path("id").asString().equals(id)) {
          model.setAll((ObjectNode) candidate);
        }
      }
    }
  }

  private static void addCommands(ArrayNode faults, String title, String prefix) {
    ArrayNode commands = faults.addObject().put("title", title).putArray("commands");
    for (ChatFault fault : ChatFaults.documented()) {
      if (fault.command().startsWith(prefix)) {
        commands
            .addObject()
            .put("word", fault.command().substring(prefix.length()).replace('-', ' '))
            .put("description", fault.description())
            .put("prompt", fault.command());
      }
    }
  }
}
