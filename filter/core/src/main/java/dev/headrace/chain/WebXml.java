package dev.headrace.chain;

import jakarta.servlet.ServletContext;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * What {@code web.xml} and the fragments say about filters and the Servlet API does not: whether
 * they support asynchronous requests, and in which order they are mapped. Filled once, then only
 * read.
 *
 * <p>Read with the JDK's own parser, whatever else the application brings, without document types
 * and without external entities.
 */
final class WebXml {

  private static final String DESCRIPTOR = "/WEB-INF/web.xml";
  private static final String FRAGMENT = "META-INF/web-fragment.xml";

  private final Map<String, Boolean> asyncSupported = new HashMap<>(); // by the filter's name
  private final List<String> mapped = new ArrayList<>(); // web.xml only: a fragment has no order
  private final Set<String> mappedToRequests = new HashSet<>();
  private final Set<String> mappedToDispatches = new HashSet<>(); // of asynchronous requests
  private final Set<String> mappedAtAll = new HashSet<>();

  private WebXml() {}

  /** Reads what there is; what cannot be read is left out. */
  static WebXml of(ServletContext context) {
    WebXml descriptor = new WebXml();
    try (InputStream in = context.getResourceAsStream(DESCRIPTOR)) {
      if (in != null) {
        descriptor.read(in, true);
      }
    } catch (IOException | XMLStreamException | RuntimeException e) {
      // The container has read it: whatever is special about it, the gateway can do without.
    }
    ClassLoader loader = context.getClassLoader();
    try {
      for (URL fragment :
          loader == null ? List.<URL>of() : Collections.list(loader.getResources(FRAGMENT))) {
        URLConnection uncached = fragment.openConnection();
        uncached.setUseCaches(false); // else the jar stays open when the application has gone
        try (InputStream in = uncached.getInputStream()) {
          descriptor.read(in, false);
        }
      }
    } catch (IOException | XMLStreamException | RuntimeException e) {
      // as above
    }
    return descriptor;
  }

  /** Whether a filter is declared here. */
  boolean declares(String filter) {
    return asyncSupported.containsKey(filter);
  }

  /** Whether a declared filter lets requests become asynchronous; the default of XML is no. */
  boolean isAsyncSupported(String filter) {
    return asyncSupported.getOrDefault(filter, false);
  }

  /** The place of a filter's first mapping among all of {@code web.xml}; -1 if it has none. */
  int position(String filter) {
    return mapped.indexOf(filter);
  }

  /** Whether all mappings of a filter are for forwards, errors and the like. */
  boolean seesNoRequests(String filter) {
    return mappedAtAll.contains(filter) && !mappedToRequests.contains(filter);
  }

  /** Whether a filter sees requests, but not what they are dispatched to again. */
  boolean seesNoDispatches(String filter) {
    return mappedToRequests.contains(filter) && !mappedToDispatches.contains(filter);
  }

  private void read(InputStream in, boolean ordered) throws XMLStreamException {
    XMLInputFactory factory = XMLInputFactory.newDefaultFactory();
    factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
    factory.setProperty(XMLInputFactory.IS_SUPPORTING_EXTERNAL_ENTITIES, false);
    factory.setXMLResolver((publicId, systemId, base, namespace) -> InputStream.nullInputStream());
    XMLStreamReader xml = factory.createXMLStreamReader(in);
    try {
      while (xml.hasNext()) {
        if (xml.next() == XMLStreamConstants.START_ELEMENT) {
          if (xml.getLocalName().equals("filter")) {
            readFilter(xml);
          } else if (xml.getLocalName().equals("filter-mapping")) {
            readMapping(xml, ordered);
          }
        }
      }
    } finally {
      xml.close();
    }
  }

  private void readFilter(XMLStreamReader xml) throws XMLStreamException {
    Map<String, List<String>> parts = children(xml, "filter");
    String name = first(parts, "filter-name");
    if (name != null) {
      asyncSupported.merge(
          name, "true".equalsIgnoreCase(first(parts, "async-supported")), Boolean::logicalOr);
    }
  }

  private void readMapping(XMLStreamReader xml, boolean ordered) throws XMLStreamException {
    Map<String, List<String>> parts = children(xml, "filter-mapping");
    String name = first(parts, "filter-name");
    if (name == null) {
      return;
    }
    if (ordered) {
      mapped.add(name);
    }
    mappedAtAll.add(name);
    List<String> dispatchers = parts.getOrDefault("dispatcher", List.of());
    if (dispatchers.isEmpty() || dispatchers.contains("REQUEST")) {
      mappedToRequests.add(name);
    }
    if (dispatchers.contains("ASYNC")) {
      mappedToDispatches.add(name);
    }
  }

  /** The texts of the elements right within this one, by their names. */
  private static Map<String, List<String>> children(XMLStreamReader xml, String parent)
      throws XMLStreamException {
    Map<String, List<String>> texts = new HashMap<>();
    int depth = 0;
    StringBuilder text = new StringBuilder();
    while (xml.hasNext()) {
      switch (xml.next()) {
        case XMLStreamConstants.START_ELEMENT -> {
          depth++;
          text.setLength(0);
        }
        case XMLStreamConstants.CHARACTERS, XMLStreamConstants.CDATA -> text.append(xml.getText());
        case XMLStreamConstants.END_ELEMENT -> {
          if (depth == 0 && xml.getLocalName().equals(parent)) {
            return texts;
          }
          if (depth == 1) {
            texts
                .computeIfAbsent(xml.getLocalName(), name -> new ArrayList<>())
                .add(text.toString().strip());
          }
          depth--;
        }
        default -> {
          // comments and the like
        }
      }
    }
    return texts;
  }

  private static @Nullable String first(Map<String, List<String>> parts, String name) {
    List<String> texts = parts.get(name);
    return texts == null ? null : texts.get(0);
  }
}
