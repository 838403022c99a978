// A server whose handler does almost nothing, to measure (wrk) and profile (perf) the cost of HTTP alone:
//   bench_server PORT [FILE [CERTIFICATE KEY]]
// GET /file responds with FILE, every other request with "{}".
#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "absl/time/clock.h"
#include "gateway/http/server/server.h"
#include "services/runtime/config/config_defaults.h"

namespace {

namespace http = entrepot::gateway::http;

class ConstantHandler : public http::Handler {
 public:
  explicit ConstantHandler(std::string file) : file_(std::move(file)) {}

  boost::asio::awaitable<http::Response> Handle(http::Request& request) override {
    http::Response response;
    response.route = "bench";
    response.fields.emplace_back("Content-Type", "application/json");
    std::string dropped(request.body->content_length() == 0 ? 1 : 1 << 20, '\0');
    while (true) {
      const absl::StatusOr<size_t> read = co_await request.body->Read(dropped.data(), dropped.size());
      if (!read.ok() || *read == 0) break;
    }
    if (request.path == "/file") {
      entrepot::gateway::FileBody body{entrepot::OwnedFd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC))};
      struct stat status {};
      ::fstat(body.file.get(), &status);
      body.length_bytes = static_cast<uint64_t>(status.st_size);
      response.body = std::move(body);
    } else {
      response.body = "{}";
    }
    co_return response;
  }

  http::Response Refuse(int status, absl::string_view message) override {
    http::Response response;
    response.status = status;
    response.body = std::string(message);
    return response;
  }

 private:
  const std::string file_;
};

}  // namespace

int main(int argc, char** argv) {
  http::Server::Options options;
  options.endpoint.set_port(argc > 1 ? static_cast<uint32_t>(std::atoi(argv[1])) : 0);
  entrepot::runtime::FillDefaults(&options.endpoint);
  entrepot::runtime::FillDefaults(&options.limits);
  if (argc > 4) {
    options.endpoint.mutable_tls()->set_certificate_file(argv[3]);
    options.endpoint.mutable_tls()->set_private_key_file(argv[4]);
  }
  ConstantHandler handler(argc > 2 ? argv[2] : "");
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  auto server = http::Server::Start(options, &handler, std::make_shared<prometheus::Registry>());
  if (!server.ok()) {
    std::cerr << server.status().message() << "\n";
    return 1;
  }
  std::cerr << "serving " << (*server)->Address() << "\n";
  int signal = 0;
  sigwait(&ends, &signal);
  (*server)->Drain(entrepot::Deadline::After(absl::Seconds(5)));
}
