package io.pilotlight.agent.handler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.pilotlight.agent.FunctionJars;
import io.pilotlight.agent.wire.Frame;
import io.pilotlight.agent.wire.Frame.InvokeAttributes;
import io.pilotlight.agent.wire.FrameCodec;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HandlerBindingTest {
  @TempDir static Path directory;
  private static FunctionJars jars;

  private final ManualClock clock = new ManualClock();
  private final Reply reply = new Reply();
  private ClassLoader contextLoader;

  @BeforeAll
  static void pack() throws Exception {
    jars = FunctionJars.in(directory);
  }

  @BeforeEach
  void rememberContextLoader() {
    contextLoader = Thread.currentThread().getContextClassLoader();
  }

  private HostedFunction hosted;

  @AfterEach
  void restoreContextLoader() {
    Thread.currentThread().setContextClassLoader(contextLoader);
  }

  private LoadedFunction load(String handler) throws HostingException {
    Frame.Init init = jars.init("functions." + handler);
    hosted = new HostedFunction(init, Map.of(), "zygote", clock);
    return LoadedFunction.load(init, hosted, FunctionLoader.open(init.jars(), init.layers()));
  }

  private String call(LoadedFunction function, byte[] payload, Map<String, String> attributes)
      throws CallFault {
    reply.clear();
    long deadline = clock.epochMillis() + 3000;
    function.call(new Frame.Invoke("request-1", deadline, attributes, payload), reply);
    return new String(
        Arrays.copyOfRange(reply.frame(), FrameCodec.RESULT_PREFIX_BYTES, reply.frameLength()),
        UTF_8);
  }

  private String call(LoadedFunction function, String payload) throws CallFault {
    return call(function, payload.getBytes(UTF_8), Map.of());
  }

  private CallFault fault(String handler, String payload) throws HostingException {
    LoadedFunction function = load(handler);
    CallFault fault = catchThrowableOfType(CallFault.class, () -> call(function, payload));
    assertThat(fault).isNotNull();
    return fault;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "AwsHandlers$OrderHandler|RequestHandler|{\"id\":\"a\",\"amount\":4,\"other\":1}"
            + "|{\"id\":\"a\",\"amount\":8,\"state\":\"CLOSED\"}",
        "AwsHandlers$OrderHandler::handleRequest|RequestHandler|{\"amount\":\"4\"}"
            + "|{\"amount\":8,\"state\":\"CLOSED\"}",
        "AwsHandlers$MapHandler|RequestHandler|{\"a\":[1,{}]}"
            + "|{\"a\":[1,{}],\"class\":\"java.util.LinkedHashMap\"}",
        "AwsHandlers$ListHandler|RequestHandler|[{\"amount\":4},{\"amount\":5}]|9",
        "AwsHandlers$StringHandler|RequestHandler|\"a\\u00e4\"|\"<a\u00e4>\"",
        "AwsHandlers$NumberHandler|RequestHandler|5|2.5",
        "AwsHandlers$EnumHandler|RequestHandler|\"OPEN\"|null",
        "AwsHandlers$InheritingHandler|RequestHandler|{}|\"Order\"",
        "AwsHandlers$InheritingHandler::handleRequest|RequestHandler|{}|\"Order\"",
        "AwsHandlers$ReversingHandler|RequestStreamHandler|abc|cba",
        "PlainHandlers$Total|Function|[{\"amount\":4},{\"amount\":5}]|9",
        "PlainHandlers$Upper|Function|\"abc\"|\"ABC\"",
        "PlainHandlers$Upper::apply|method|\"abc\"|\"ABC\"",
        "PlainHandlers::twice|static method|21|42",
        "PlainHandlers::twice|static method|null|0",
        "PlainHandlers::total|static method|{\"a\":1,\"b\":2}|3",
        "PlainHandlers::nothing|static method|not JSON|\"nothing taken\"",
        "PlainHandlers::silent|static method|\"x\"|null",
        "PlainHandlers::named|static method|\"my \"|\"my shop\"",
        "PlainHandlers::onlyContext|static method|{|\"shop\"",
        "PlainHandlers::copy|static method|any bytes|any bytes",
        "PlainHandlers::copyWithContext|static method|my-|my-shop",
        "PlainHandlers::sink|static method|any bytes|null",
        "PlainHandlers$Shop::serve|method|{\"id\":\"a\"}|\"a1\"",
        "PlainHandlers$OrderShop::type|method|{\"id\":\"a\"}|\"Order\"",
      })
  void eachKindOfHandlerIsFoundAndBound(String handler, String kind, String payload, String answer)
      throws Exception {
    LoadedFunction function = load(handler);
    assertThat(function.kind()).isEqualTo(kind);
    assertThat(call(function, payload).strip()).isEqualTo(answer);
  }

  @Test
  void recordsAreBoundBothWays() throws Exception {
    assertThat(
            call(
                load("AwsHandlers$RecordHandler"),
                "{\"id\":\"a\",\"amount\":4,\"states\":[\"OPEN\"]}"))
        .isEqualTo("{\"id\":\"a\",\"amount\":8,\"states\":[\"OPEN\"]}");
  }

  @Test
  void theContextTellsAllOfTheCall() throws Exception {
    LoadedFunction function = load("AwsHandlers$ContextHandler");
    String plain = call(function, "{}");
    assertThat(plain)
        .contains("\"requestId\":\"request-1\"", "\"function\":\"shop\"", "\"memory\":256")
        .contains("\"version\":\"$LATEST\"", "\"remaining\":3000", "\"identity\":true")
        .contains("\"arn\":\"arn:aws:lambda:us-east-1:000000000000:function:shop\"")
        .contains("\"logGroup\":\"/aws/lambda/shop\"")
        .contains("\"logStream\":\"2023/11/14/[$LATEST]zygote\"")
        .doesNotContain("title");
    hosted.renew("clone-9");
    String full =
        call(
            function,
            "{}".getBytes(UTF_8),
            Map.of(
                InvokeAttributes.INVOKED_FUNCTION_ARN,
                "arn:x",
                InvokeAttributes.CLIENT_CONTEXT,
                "{\"client\":{\"app_title\":\"App\"},\"custom\":{\"a\":\"b\"},\"env\":{\"c\":1}}"));
    assertThat(full)
        .contains("\"arn\":\"arn:x\"", "[$LATEST]clone-9", "\"title\":\"App\"")
        .contains("\"custom\":{\"a\":\"b\"}", "\"env\":{\"c\":\"1\"}");
  }

  @Test
  void aBrokenClientContextIsTheCallersFault() throws Exception {
    LoadedFunction function = load("AwsHandlers$ContextHandler");
    assertThatThrownBy(
            () ->
                call(
                    function,
                    "{}".getBytes(UTF_8),
                    Map.of(InvokeAttributes.CLIENT_CONTEXT, "{not")))
        .isInstanceOfSatisfying(
            CallFault.class, f -> assertThat(f.kind()).isEqualTo(Frame.FaultKind.INPUT));
  }

  @Test
  void nothingOfTheAgentIsVisible() throws Exception {
    LoadedFunction function = load("AwsHandlers$NosyHandler");
    for (String name :
        new String[] {
          LoadedFunction.class.getName(),
          "com.amazonaws.services.lambda.runtime.serialization.PojoSerializer"
        }) {
      assertThat(call(function, '"' + name + '"'))
          .contains("\"visible\":false", "\"contextLoaderIsOwn\":true", "\"interfaceIsOwn\":true");
    }
  }

  @Test
  void aStreamKeptFromTheLastCallCannotWriteIntoTheNext() throws Exception {
    LoadedFunction function = load("AwsHandlers$ReversingHandler");
    assertThat(call(function, "abc")).isEqualTo("cba");
    assertThat(call(function, "xyz")).isEqualTo("zyx");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "AwsHandlers$OrderHandler|{\"id\":|line: 1",
        "AwsHandlers$OrderHandler|``|No content",
        "AwsHandlers$OrderHandler|[1,2]|AwsHandlers$Order",
        "AwsHandlers$MapHandler|\"text\"|java.util.Map",
        "AwsHandlers$StringHandler|{\"a\":1}|java.lang.String",
        "AwsHandlers$NumberHandler|\"many\"|java.lang.Integer",
        "PlainHandlers::twice|\"x\"|int",
      })
  void anUnsuitableInputIsTheCallersFault(String handler, String payload, String named)
      throws Exception {
    CallFault fault = fault(handler, payload);
    assertThat(fault.kind()).isEqualTo(Frame.FaultKind.INPUT);
    assertThat(fault.failure().message())
        .startsWith("An error occurred during JSON parsing")
        .contains(named);
    assertThat(reply.enteredNanos()).isZero();
  }

  @Test
  void anExceptionIsReportedWithItsCausesAndWithoutTheAgentsFrames() throws Exception {
    CallFault fault = fault("BadHandlers$Thrower", "{\"do\":\"throw\"}");
    assertThat(fault.kind()).isEqualTo(Frame.FaultKind.HANDLER);
    assertThat(fault.failure().type()).isEqualTo("java.lang.IllegalArgumentException");
    assertThat(fault.failure().message()).isEqualTo("bad order");
    assertThat(fault.failure().stackTrace())
        .isNotEmpty()
        .allMatch(line -> line.startsWith("functions.BadHandlers$Thrower.apply(BadHandlers.java:"));
    assertThat(fault.failure().cause().message()).isEqualTo("inner");
    assertThat(reply.enteredNanos()).isNotZero();
    assertThat(reply.finishedNanos()).isNotZero();
  }

  @ParameterizedTest
  @CsvSource({
    "error,java.lang.AssertionError",
    "overflow,java.lang.StackOverflowError",
    "nasty,functions.BadHandlers$Nasty"
  })
  void errorsAreTheHandlersFaultToo(String what, String type) throws Exception {
    CallFault fault = fault("BadHandlers$Thrower", "{\"do\":\"" + what + "\"}");
    assertThat(fault.kind()).isEqualTo(Frame.FaultKind.HANDLER);
    assertThat(fault.failure().type()).isEqualTo(type);
  }

  @Test
  void anAnswerThatCannotBeWrittenIsAnOutputFault() throws Exception {
    CallFault fault = fault("BadHandlers$Thrower", "{\"do\":\"cycle\"}");
    assertThat(fault.kind()).isEqualTo(Frame.FaultKind.OUTPUT);
    assertThat(fault.failure().message()).contains("serialization of response");
  }

  @Test
  void anAnswerMayFillAFrameButNotMore() throws Exception {
    LoadedFunction function = load("AwsHandlers$BigHandler");
    assertThat(call(function, Integer.toString(Reply.MAX_PAYLOAD_BYTES)))
        .hasSize(Reply.MAX_PAYLOAD_BYTES);
    assertThatThrownBy(() -> call(function, Integer.toString(Reply.MAX_PAYLOAD_BYTES + 1)))
        .isInstanceOfSatisfying(
            CallFault.class, f -> assertThat(f.kind()).isEqualTo(Frame.FaultKind.OUTPUT))
        .hasMessageContaining("larger than");
    assertThat(call(function, "3")).hasSize(3);
  }
}
