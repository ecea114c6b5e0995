package io.pilotlight.cli.program;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pilotlight.cli.CliException;
import io.pilotlight.zygote.ImageSummary;
import io.pilotlight.zygote.Program;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * By which a managed program is asked for a checkpoint: one JSON document on a line each way. The
 * socket lies in the {@link RuntimeDirectory} under the pid of the program, and under that of who
 * runs it.
 */
public final class ControlSocket implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ControlSocket.class);

  /** How long the answers that are being given may take when the program has ended. */
  private static final long LAST_ANSWERS_SECONDS = 30;

  private final ServerSocketChannel server;
  private final Path socket;
  private final Path alias;
  private final Program program;
  private final ExecutorService answers =
      Executors.newCachedThreadPool(task -> daemon(task, "pilotlight-control"));

  private ControlSocket(ServerSocketChannel server, Path socket, Path alias, Program program) {
    this.server = server;
    this.socket = socket;
    this.alias = alias;
    this.program = program;
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Listens for a program.
   *
   * @param directory the runtime directory
   */
  public static ControlSocket open(Path directory, Program program) throws CliException {
    Path socket = RuntimeDirectory.socket(directory, program.pid());
    Path alias = RuntimeDirectory.socket(directory, ProcessHandle.current().pid());
    try {
      // They can only be of processes that have ended: the pids are ours.
      Files.deleteIfExists(socket);
      Files.deleteIfExists(alias);
      ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server.bind(UnixDomainSocketAddress.of(socket));
      Files.createSymbolicLink(alias, socket.getFileName());
      ControlSocket control = new ControlSocket(server, socket, alias, program);
      daemon(control::serve, "pilotlight-control").start();
      return control;
    } catch (IOException e) {
      throw new CliException("the control socket " + socket + " cannot be made: " + e);
    }
  }

  private void serve() {
    while (server.isOpen()) {
      try {
        SocketChannel client = server.accept();
        answers.execute(() -> answer(client));
      } catch (IOException e) {
        // Closed.
        LOG.debug("no further requests", e);
      }
    }
  }

  private void answer(SocketChannel client) {
    // Not made before somebody asks: it takes longer than a restore.
    ObjectMapper mapper = new ObjectMapper();
    try (client) {
      ObjectNode answer = mapper.createObjectNode();
      try {
        JsonNode request = mapper.readTree(line(client));
        ImageSummary image =
            program
                .checkpoint(
                    Path.of(request.path("image").asText()),
                    request.path("keepRunning").asBoolean())
                .get();
        answer.put("image", image.directory().toString()).put("bytes", image.bytes());
      } catch (ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        answer.put("error", String.valueOf(cause.getMessage()));
      } catch (IllegalArgumentException e) {
        answer.put("error", "the request makes no sense: " + e);
      }
      write(client, mapper.writeValueAsString(answer));
    } catch (IOException e) {
      LOG.debug("who asked for a checkpoint has gone", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String line(SocketChannel channel) throws IOException {
    // Not closed: that would close the channel.
    BufferedReader in =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(channel), StandardCharsets.UTF_8));
    String line = in.readLine();
    if (line == null) {
      throw new IOException("the other end has gone");
    }
    return line;
  }

  private static void write(SocketChannel channel, String line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  /** Lets requests that are being answered come to their end, and listens no more. */
  @Override
  public void close() {
    try {
      server.close();
      Files.deleteIfExists(alias);
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      LOG.warn("the control socket {} cannot be removed", socket, e);
    }
    answers.shutdown();
    try {
      if (!answers.awaitTermination(LAST_ANSWERS_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("who asked for a checkpoint of process {} gets no answer", program.pid());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Asks for a checkpoint.
   *
   * @param pid the program's, or that of {@code pilotlight run}
   * @return the answer: {@code image} and {@code bytes}
   * @throws CliException if there is none, saying why
   */
  public static JsonNode ask(
      long pid, Path image, boolean keepRunning, Map<String, String> environment)
      throws CliException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode request =
        mapper.createObjectNode().put("image", image.toString()).put("keepRunning", keepRunning);
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      Optional<Path> socket = RuntimeDirectory.find(pid, environment);
      if (socket.isEmpty()) {
        throw new CliException(
            "process "
                + pid
                + " does not run under 'pilotlight run' or 'pilotlight restore' of your user");
      }
      channel.connect(UnixDomainSocketAddress.of(socket.get()));
      write(channel, mapper.writeValueAsString(request));
      JsonNode answer = mapper.readTree(line(channel));
      if (answer.has("error")) {
        throw new CliException(answer.path("error").asText());
      }
      return answer;
    } catch (NoSuchFileException e) {
      throw new CliException("there is no process " + pid);
    } catch (IOException e) {
      throw new CliException(
          String.format(
              Locale.ROOT, "who runs process %d does not answer: %s; has it ended?", pid, e));
    }
  }
}
