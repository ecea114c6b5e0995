package io.pilotlight.daemon.function;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Function definitions on disk, one JSON file each. Thread-safe for different functions. */
public final class DefinitionStore {
  private static final Logger log = LoggerFactory.getLogger(DefinitionStore.class);
  private static final String SUFFIX = ".json";

  private final DurableFiles files;
  private final JarStore jars;
  private final SettingsJson settings;
  private final ObjectMapper json;

  /** Keeps its files in {@code directory}; they name jars in {@code jars}. */
  public DefinitionStore(Path directory, JarStore jars, SettingsJson settings, ObjectMapper json)
      throws IOException {
    this.files = new DurableFiles(directory);
    this.jars = jars;
    this.settings = settings;
    this.json = json;
  }

  /** Writes a definition, replacing the one of that name. */
  void save(FunctionDefinition definition) throws IOException {
    files.write(definition.name() + SUFFIX, json.writeValueAsBytes(document(definition)));
  }

  /**
   * A stored definition as it may leave this machine: with the names of secrets, without values.
   *
   * @param directory of its store, which a daemon may be using
   * @throws IOException if it cannot be read, or there is none of that name
   */
  static ObjectNode shipped(Path directory, String name, ObjectMapper json) throws IOException {
    ObjectNode document = (ObjectNode) json.readTree(directory.resolve(name + SUFFIX).toFile());
    ObjectNode settings = document.withObject("/settings");
    ArrayNode names = json.createArrayNode();
    settings.path(SettingsJson.SECRETS).fieldNames().forEachRemaining(names::add);
    settings.set(SettingsJson.SECRETS, names);
    return document;
  }

  /**
   * Reads what {@link #shipped} wrote.
   *
   * @param secrets values for exactly its secrets
   * @throws InvalidFieldException naming the field, or the secret without a value
   */
  FunctionDefinition received(ObjectNode document, Map<String, String> secrets)
      throws InvalidFieldException, IOException {
    ObjectNode settings = document.withObject("/settings");
    Set<String> names = new TreeSet<>();
    settings.path(SettingsJson.SECRETS).forEach(secret -> names.add(secret.asText()));
    if (!names.equals(secrets.keySet())) {
      throw new InvalidFieldException(
          SettingsJson.SECRETS,
          "the function has the secrets "
              + names
              + ", whose values no export holds, and values are given for "
              + new TreeSet<>(secrets.keySet())
              + "; give each with --secret NAME=@FILE");
    }
    ObjectNode values = settings.putObject(SettingsJson.SECRETS);
    secrets.forEach(values::put);
    return read(document);
  }

  private ObjectNode document(FunctionDefinition definition) {
    ObjectNode node = json.createObjectNode();
    node.put("name", definition.name());
    node.put("version", definition.version());
    node.put("deployedEpochMillis", definition.deployedEpochMillis());
    write(definition.jars(), node.putArray("jars"));
    write(definition.layers(), node.putArray("layers"));
    settings.writeToStore(definition.settings(), node.putObject("settings"));
    return node;
  }

  private static void write(List<StoredJar> stored, ArrayNode out) {
    for (StoredJar jar : stored) {
      out.addObject().put("source", jar.source().toString()).put("sha256", jar.sha256());
    }
  }

  /** Forgets a definition. */
  void delete(String name) throws IOException {
    files.delete(name + SUFFIX);
  }

  /** All definitions. One that cannot be read is logged and left where it is. */
  public List<FunctionDefinition> load() throws IOException {
    List<FunctionDefinition> definitions = new ArrayList<>();
    try (var paths = Files.newDirectoryStream(files.directory(), "*" + SUFFIX)) {
      for (Path path : paths) {
        try {
          definitions.add(read(json.readTree(path.toFile())));
        } catch (IOException | InvalidFieldException e) {
          log.atError()
              .addKeyValue("file", path)
              .addKeyValue("cause", e)
              .log("stored function cannot be read; deploy it again, or remove the file");
        }
      }
    }
    return definitions;
  }

  private FunctionDefinition read(JsonNode node) throws InvalidFieldException, IOException {
    JsonFields fields =
        JsonFields.of(
            node,
            "the stored definition",
            Set.of("name", "version", "deployedEpochMillis", "jars", "layers", "settings"));
    String name = fields.requiredText("name", "hello");
    SettingsJson.checkName(name);
    return new FunctionDefinition(
        name,
        fields.integer("version", 1, 1, Integer.MAX_VALUE),
        fields.has("deployedEpochMillis") ? fields.raw("deployedEpochMillis").asLong() : 0,
        readJars(fields, "jars"),
        readJars(fields, "layers"),
        settings.stored(fields.has("settings") ? fields.raw("settings") : node));
  }

  private List<StoredJar> readJars(JsonFields fields, String field)
      throws InvalidFieldException, IOException {
    List<StoredJar> stored = new ArrayList<>();
    for (JsonNode element : fields.array(field)) {
      JsonFields jar = JsonFields.of(element, field, Set.of("source", "sha256"));
      String sha256 = jar.requiredText("sha256", "64 hexadecimal digits");
      if (!sha256.matches("[0-9a-f]{64}")) {
        throw new InvalidFieldException(field, "field '" + field + "': no SHA-256: " + sha256);
      }
      Path path = jars.path(sha256);
      long bytes = Files.exists(path) ? Files.size(path) : 0;
      stored.add(new StoredJar(jar.path("source", path), sha256, bytes, path));
    }
    return stored;
  }
}
