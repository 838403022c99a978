#include "services/runtime/operator_endpoint.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "boost/asio/as_tuple.hpp"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "boost/beast/core/flat_buffer.hpp"
#include "boost/beast/core/tcp_stream.hpp"
#include "boost/beast/http.hpp"
#include "prometheus/text_serializer.h"
#include "services/core/text/host_and_port.h"
#include "services/runtime/threads/executor.h"
#include "services/runtime/threads/executor_awaitable.h"

namespace entrepot::runtime {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

constexpr uint32_t kHeaderBytesMax = 8 * 1024;
constexpr std::chrono::seconds kRequestTimeout{5};
constexpr std::chrono::milliseconds kAcceptRetry{100};
constexpr int kConnectionsMax = 64;
// Requests for /metrics that wait for their turn. Connections stay free for other requests while the collection hangs.
constexpr int kCollectionsMax = 8;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

class HttpOperatorEndpoint : public OperatorEndpoint {
 public:
  explicit HttpOperatorEndpoint(std::function<ReadinessReport()> readiness) : readiness_(std::move(readiness)) {}

  ~HttpOperatorEndpoint() override {
    // First, because its jobs resume coroutines.
    collector_.reset();
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Listen(const config::v1::Endpoint& endpoint) {
    boost::system::error_code error;
    const tcp::endpoint at(asio::ip::make_address(endpoint.address(), error), static_cast<uint16_t>(endpoint.port()));
    if (!error) acceptor_.open(at.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", HostAndPort(endpoint.address(), endpoint.port()), ": ", error.message()));
    }
    port_ = acceptor_.local_endpoint().port();
    asio::co_spawn(io_, AcceptLoop(), asio::detached);
    thread_ = std::thread([this] { io_.run(); });
    return absl::OkStatus();
  }

  void AddCollectable(std::weak_ptr<prometheus::Collectable> collectable) override {
    std::lock_guard lock(mutex_);
    std::erase_if(collectables_, [](const auto& old) { return old.expired(); });
    collectables_.push_back(std::move(collectable));
  }

  uint16_t port() const override { return port_; }

 private:
  asio::awaitable<void> AcceptLoop() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(kTuple);
      if (error) {
        // Probably no file descriptor is left.
        co_await Pause();
        continue;
      }
      ++connections_;
      asio::co_spawn(io_, ServeOne(beast::tcp_stream(std::move(socket))), [this](std::exception_ptr) {
        --connections_;
        room_.cancel_one();
      });
      while (connections_ >= kConnectionsMax) co_await room_.async_wait(kTuple);
    }
  }

  asio::awaitable<void> Pause() {
    asio::steady_timer timer(io_, kAcceptRetry);
    co_await timer.async_wait(kTuple);
  }

  // One request per connection: requests are rare.
  asio::awaitable<void> ServeOne(beast::tcp_stream stream) {
    stream.expires_after(kRequestTimeout);
    beast::flat_buffer buffer(kHeaderBytesMax);
    http::request_parser<http::empty_body> parser;
    parser.header_limit(kHeaderBytesMax);
    auto [error, size] = co_await http::async_read_header(stream, buffer, parser, kTuple);
    if (error && !IsGrammarError(error)) co_return;
    Response response;
    if (error) {
      response = Refusal(error);
    } else {
      response = co_await Answer(parser.get());
    }
    co_await http::async_write(stream, response, kTuple);
    stream.socket().shutdown(tcp::socket::shutdown_both, error);
  }

  static bool IsGrammarError(const boost::system::error_code& error) {
    return error.category() == http::make_error_code(http::error::bad_version).category() &&
           error != http::error::end_of_stream && error != http::error::partial_message;
  }

  static Response Refusal(const boost::system::error_code& error) {
    const bool too_large = error == http::error::header_limit || error == http::error::buffer_overflow;
    return Text(too_large ? http::status::request_header_fields_too_large : http::status::bad_request,
                absl::StrCat(error.message(), "\n"));
  }

  asio::awaitable<Response> Answer(const Request& request) {
    absl::string_view path(request.target().data(), request.target().size());
    path = path.substr(0, path.find('?'));
    if (path != "/healthz" && path != "/readyz" && path != "/metrics") {
      co_return Text(http::status::not_found, "There are /healthz, /readyz and /metrics.\n");
    }
    if (request.method() != http::verb::get) {
      Response response = Text(http::status::method_not_allowed, "GET only.\n");
      response.set(http::field::allow, "GET");
      co_return response;
    }
    if (path == "/metrics") co_return co_await CollectMetrics();
    if (path == "/healthz") co_return Text(http::status::ok, "ok\n");
    ReadinessReport report = readiness_();
    co_return Text(report.readiness == Readiness::kNone ? http::status::service_unavailable : http::status::ok,
                   std::move(report.text));
  }

  // A collectable may wait for a disk that hangs.
  asio::awaitable<Response> CollectMetrics() {
    if (collecting_ >= kCollectionsMax) {
      co_return Text(http::status::service_unavailable, "Other requests wait for the metrics already.\n");
    }
    ++collecting_;
    Response response = co_await RunOn(*collector_, [this] { return Metrics(); });
    --collecting_;
    co_return response;
  }

  Response Metrics() const {
    std::vector<prometheus::MetricFamily> families;
    for (const auto& collectable : LiveCollectables()) {
      for (prometheus::MetricFamily& family : collectable->Collect()) families.push_back(std::move(family));
    }
    Response response = Text(http::status::ok, prometheus::TextSerializer().Serialize(families));
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    return response;
  }

  std::vector<std::shared_ptr<prometheus::Collectable>> LiveCollectables() const {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<prometheus::Collectable>> live;
    for (const auto& collectable : collectables_) {
      if (auto shared = collectable.lock(); shared != nullptr) live.push_back(std::move(shared));
    }
    return live;
  }

  static Response Text(http::status status, std::string body) {
    Response response(status, 11);
    response.set(http::field::content_type, "text/plain; charset=utf-8");
    response.set(http::field::cache_control, "no-store");
    response.keep_alive(false);
    response.body() = std::move(body);
    response.prepare_payload();
    return response;
  }

  const std::function<ReadinessReport()> readiness_;
  uint16_t port_ = 0;

  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<prometheus::Collectable>> collectables_;  // Guarded by mutex_.

  // Used only by io_'s thread once it runs.
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  int connections_ = 0;
  int collecting_ = 0;                                                   // Requests for /metrics that wait.
  asio::steady_timer room_{io_, asio::steady_timer::time_point::max()};  // Cancelled when a connection ends.

  std::thread thread_;
  std::unique_ptr<Executor> collector_ = std::make_unique<Executor>(1);
};

}  // namespace

absl::StatusOr<std::unique_ptr<OperatorEndpoint>> OperatorEndpoint::Start(const config::v1::Endpoint& endpoint,
                                                                          std::function<ReadinessReport()> readiness) {
  auto http = std::make_unique<HttpOperatorEndpoint>(std::move(readiness));
  if (absl::Status status = http->Listen(endpoint); !status.ok()) return status;
  return http;
}

}  // namespace entrepot::runtime
