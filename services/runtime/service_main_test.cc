#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/read.hpp"
#include "boost/asio/write.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/files/owned_fd.h"
#include "services/core/time/eventually.h"

namespace entrepot::runtime {
namespace {

namespace asio = boost::asio;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kProcess[] = "services/runtime/service_main_test_process";

// A run of the process, with stdout and stderr as one text.
class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    output_ = OwnedFd(fds[0]);
    const OwnedFd write_end(fds[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, write_end.get(), 2);
    arguments.insert(arguments.begin(), kProcess);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    EXPECT_EQ(::posix_spawn(&pid_, kProcess, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }

  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  void Signal(int signal) const { ::kill(pid_, signal); }

  // Reads until the output contains `text`, or ends.
  void AwaitOutput(absl::string_view text) {
    while (!absl::StrContains(text_, text) && ReadMore()) {
    }
    EXPECT_THAT(text_, HasSubstr(std::string(text)));
  }

  // Waits for the end of the process. Returns its exit code, or 128 + the signal that killed it. The output is then
  // complete.
  int Wait() {
    while (ReadMore()) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  const std::string& output() const { return text_; }

 private:
  bool ReadMore() {
    char buffer[4096];
    const ssize_t size = ::read(output_.get(), buffer, sizeof(buffer));
    if (size <= 0) return false;
    text_.append(buffer, static_cast<size_t>(size));
    return true;
  }

  pid_t pid_ = 0;
  OwnedFd output_;
  std::string text_;
};

std::string WriteConfig(const std::string& text) {
  static int count = 0;
  const std::string path = absl::StrCat(testing::TempDir(), "/config", ++count, ".yaml");
  std::ofstream(path) << text;
  return path;
}

// A port that was free a moment ago.
uint16_t FreePort() {
  asio::io_context io;
  return asio::ip::tcp::acceptor(io, {asio::ip::address_v4::loopback(), 0}).local_endpoint().port();
}

class ServiceMainTest : public testing::Test {
 protected:
  std::string Config(const std::string& behaviour, const std::string& more = "") const {
    return WriteConfig(
        absl::StrCat("data_directory: ", behaviour, "\noperator: {port: ", operator_port_, "}\n", more, "\n"));
  }

  std::string Get(const std::string& path) const {
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    socket.connect({asio::ip::address_v4::loopback(), operator_port_});
    asio::write(socket, asio::buffer("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
    std::string answer;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(answer), error);
    return answer;
  }

  // Until the answer of /readyz contains `text`: the checks run in the background.
  std::string AwaitReadyz(const std::string& text) const {
    std::string answer;
    EXPECT_TRUE(Eventually([&] {
      answer = Get("/readyz");
      return absl::StrContains(answer, text);
    })) << answer;
    return answer;
  }

  const uint16_t operator_port_ = FreePort();
};

TEST_F(ServiceMainTest, Help) {
  Process process({"--help"});
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_THAT(process.output(), StartsWith("Usage: entrepot-test --config FILE\n"));
}

TEST_F(ServiceMainTest, Version) {
  Process process({"--version"});
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_EQ(process.output(), "entrepot-test dev\n");
}

TEST_F(ServiceMainTest, WrongCommandLines) {
  struct {
    std::vector<std::string> arguments;
    std::string message;
  } const cases[] = {
      {{}, "entrepot-test: --config FILE is required\n"},
      {{"--config"}, "entrepot-test: --config needs a file\n"},
      {{"--conf", "x"}, "entrepot-test: unknown argument --conf\n"},
      {{"--config", "x", "y"}, "entrepot-test: unknown argument y\n"},
      {{"--config="}, "entrepot-test: --config FILE is required\n"},
  };
  for (const auto& [arguments, message] : cases) {
    Process process(arguments);
    EXPECT_EQ(process.Wait(), 2);
    EXPECT_THAT(process.output(), StartsWith(message));
    EXPECT_THAT(process.output(), HasSubstr("Usage: "));
  }
}

TEST_F(ServiceMainTest, AMissingConfiguration) {
  Process process({"--config", "/nowhere/entrepot.yaml"});
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_EQ(process.output(), "cannot read /nowhere/entrepot.yaml: No such file or directory\n");
}

TEST_F(ServiceMainTest, InvalidYaml) {
  const std::string path = WriteConfig("listen:\n  prot: 1\n");
  Process process({"--config", path});
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_EQ(process.output(),
            path +
                ":2: listen: unknown field \"prot\"; known fields are address, port, tls, "
                "external_url, allow_unauthenticated, trusted_proxies, forwarded_header, proxy_protocol, names\n");
}

TEST_F(ServiceMainTest, ReportsEachProblemOfAConfigurationInALine) {
  const std::string path = WriteConfig("log: {level: loud}\ndrain_timeout: 0s\noperator: {address: here}\n");
  Process process({"--config=" + path});
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_EQ(process.output(), absl::StrCat(path, ": data_directory: is required\n", path,
                                           ":1: log.level: must be debug, info, warning or error, not \"loud\"\n", path,
                                           ":2: drain_timeout: must be longer than 0, not 0\n", path,
                                           ":3: operator.address: must be an IP address, not \"here\"\n", path,
                                           ":3: operator.port: is required\n"));
}

TEST_F(ServiceMainTest, ReportsEachValueThatCannotBeReadAndNothingThatFollowsFromIt) {
  const std::string path = WriteConfig("operator: {prot: 1}\ndata_directory: [x]\ndrain_timeout: soon\n");
  Process process({"--config=" + path});
  EXPECT_EQ(process.Wait(), 2);
  EXPECT_EQ(process.output(),
            absl::StrCat(path,
                         ":1: operator: unknown field \"prot\"; known fields are address, port, tls, "
                         "connections_max\n",
                         path, ":2: data_directory: expected text, found a list\n", path,
                         ":3: drain_timeout: expected a duration like 250ms, 3s or 1h30m, found \"soon\"\n"));
}

TEST_F(ServiceMainTest, AServiceThatDoesNotStart) {
  Process process({"--config", Config("fail-to-start")});
  EXPECT_EQ(process.Wait(), 1);
  EXPECT_THAT(process.output(), HasSubstr("\"level\":\"error\",\"message\":\"the service could not be started\","
                                          "\"error\":\"UNAVAILABLE: no disk\"}"));
}

TEST_F(ServiceMainTest, AnOperatorPortInUse) {
  asio::io_context io;
  const asio::ip::tcp::acceptor taken(io, {asio::ip::address_v4::loopback(), operator_port_});
  Process process({"--config", Config("serve")});
  EXPECT_EQ(process.Wait(), 1);
  EXPECT_THAT(process.output(), HasSubstr("Address already in use"));
}

TEST_F(ServiceMainTest, ServesUntilASignalThenDrains) {
  for (int signal : {SIGTERM, SIGINT}) {
    Process process({"--config", Config("serve")});
    process.AwaitOutput("\"message\":\"serving\"");
    EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(AwaitReadyz("\r\n\r\nready\n"), StartsWith("HTTP/1.1 200 "));
    const std::string metrics = Get("/metrics");
    EXPECT_THAT(metrics, HasSubstr("test_gauge 7\n"));
    EXPECT_THAT(metrics, HasSubstr("entrepot_build_info{service=\"entrepot-test\",version=\"dev\"} 1\n"));
    process.Signal(signal);
    EXPECT_EQ(process.Wait(), 0);
    const std::vector<std::string> lines = absl::StrSplit(process.output(), '\n', absl::SkipEmpty());
    ASSERT_EQ(lines.size(), 4u) << process.output();
    EXPECT_THAT(lines[0], HasSubstr("\"message\":\"starting\",\"service\":\"entrepot-test\",\"version\":\"dev\""));
    EXPECT_THAT(lines[1], HasSubstr(absl::StrCat("\"message\":\"serving\",\"listen\":\"http://127.0.0.1:5000\","
                                                 "\"operator\":\"http://127.0.0.1:",
                                                 operator_port_, "\"}")));
    EXPECT_THAT(lines[2], HasSubstr(absl::StrCat("\"message\":\"draining\",\"signal\":\"",
                                                 signal == SIGTERM ? "SIGTERM" : "SIGINT", "\"}")));
    EXPECT_THAT(lines[3], HasSubstr("\"message\":\"stopped\""));
  }
}

TEST_F(ServiceMainTest, ReadyzAsksTheService) {
  Process process({"--config", Config("never-ready")});
  process.AwaitOutput("\"message\":\"serving\"");
  const std::string answer = AwaitReadyz("cannot pull: disk: not ready in this test");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nnot ready\n"));
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  process.AwaitOutput("\"message\":\"readiness changed\"");
}

TEST_F(ServiceMainTest, StaysReadyIfOnlyPushesAreImpossible) {
  Process process({"--config", Config("read-only")});
  process.AwaitOutput("\"message\":\"serving\"");
  // Both checks have run.
  const std::string answer = AwaitReadyz("ready for pulls only\ncannot push: writes: read-only in this test (");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/metrics"), HasSubstr("entrepot_ready{for=\"pushes\"} 0\n"));
}

TEST_F(ServiceMainTest, ACheckThatHangsDelaysNoAnswer) {
  Process process({"--config", Config("hang")});
  process.AwaitOutput("\"message\":\"serving\"");
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  const std::string answer = AwaitReadyz("\nok: writes (");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("cannot pull: disk: has not "));
  EXPECT_THAT(Get("/metrics"), HasSubstr("entrepot_health_check_ok{check=\"disk\"} 0\n"));
}

TEST_F(ServiceMainTest, ReadyzFailsDuringTheDrain) {
  Process process({"--config", Config("drain-forever")});
  process.AwaitOutput("\"message\":\"serving\"");
  process.Signal(SIGTERM);
  process.AwaitOutput("\"message\":\"draining\"");
  std::string answer;
  EXPECT_TRUE(Eventually([&] {
    answer = Get("/readyz");
    return !absl::StartsWith(answer, "HTTP/1.1 200 ");
  }));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\ndraining\n"));
}

TEST_F(ServiceMainTest, TheDrainBeginsAfterTheDelay) {
  Process process({"--config", Config("tell-drain", "drain_delay: 1s")});
  process.AwaitOutput("\"message\":\"serving\"");
  AwaitReadyz("\r\n\r\nready\n");
  process.Signal(SIGTERM);
  process.AwaitOutput("\"message\":\"draining\"");
  AwaitReadyz("HTTP/1.1 503 ");
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_THAT(process.output(), ContainsRegex("announced\n(.|\n)*drained after the delay\n"));
}

TEST_F(ServiceMainTest, ASecondSignalEndsTheDelayAndTheProcess) {
  Process process({"--config", Config("serve", "drain_delay: 5m")});
  process.AwaitOutput("\"message\":\"serving\"");
  process.Signal(SIGTERM);
  process.AwaitOutput("\"message\":\"draining\"");
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 128 + SIGTERM);
}

TEST_F(ServiceMainTest, ASecondSignalEndsItAtOnce) {
  for (int signal : {SIGTERM, SIGINT}) {
    Process process({"--config", Config("drain-forever")});
    process.AwaitOutput("\"message\":\"serving\"");
    process.Signal(SIGTERM);
    process.AwaitOutput("\"message\":\"draining\"");
    process.Signal(signal);
    EXPECT_EQ(process.Wait(), 128 + signal);
  }
}

TEST_F(ServiceMainTest, TheDrainHasADeadline) {
  Process process({"--config", Config("drain-until-deadline", "drain_timeout: 100ms")});
  process.AwaitOutput("\"message\":\"serving\"");
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(ServiceMainTest, ADrainThatExceedsItsDeadlineIsEnded) {
  Process process({"--config", Config("drain-forever", "drain_timeout: 1ms")});
  process.AwaitOutput("\"message\":\"serving\"");
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 1);
  EXPECT_THAT(process.output(), HasSubstr("the drain did not end in time"));
}

TEST_F(ServiceMainTest, SigpipeIsIgnored) {
  Process process({"--config", Config("serve")});
  process.AwaitOutput("\"message\":\"serving\"");
  process.Signal(SIGPIPE);
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(ServiceMainTest, TheConfiguredLogLevelApplies) {
  Process process({"--config", Config("serve", "log: {level: error}")});
  // Nothing is logged, so the test polls the port.
  for (bool up = false; !up;) {
    try {
      up = absl::StrContains(Get("/readyz"), "HTTP/1.1 200");
    } catch (const boost::system::system_error&) {
    }
  }
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 0);
  EXPECT_EQ(process.output(), "");
}

}  // namespace
}  // namespace entrepot::runtime
