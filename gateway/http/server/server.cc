#include "gateway/http/server/server.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/post.hpp"
#include "gateway/http/connection_slots.h"
#include "gateway/http/memory_budget.h"
#include "gateway/http/server/acceptor.h"
#include "gateway/http/server/connection_refusal.h"
#include "gateway/http/server/worker.h"
#include "gateway/http/server_metrics.h"
#include "gateway/http/trusted_proxies.h"
#include "services/core/files/owned_fd.h"
#include "services/core/time/deadline.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/threads/executor.h"
#include "services/runtime/tls/certificate_reloader.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

// For reads of files that are not in the page cache. Each client has one read at a time, and the disk reads ahead.
constexpr size_t kFileThreads = 8;
// After the deadline of a drain: the time for handlers to notice that their client is gone.
constexpr absl::Duration kCutOffTime = absl::Seconds(1);
// When a drain begins: how long a handshake of TCP that has begun may take to end.
constexpr absl::Duration kAcceptGrace = absl::Milliseconds(250);

std::chrono::nanoseconds ToChrono(const google::protobuf::Duration& duration) {
  return absl::ToChronoNanoseconds(runtime::ToDuration(duration));
}

// Threads that start while this lives have SIGPIPE blocked: sendfile to a client that disconnected raises it, and has
// no flag against that.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before_);
  }
  ~SigpipeBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  sigset_t before_;
};

class ServerImpl final : public Server {
 public:
  ServerImpl(const Options& options, Handler* handler, const std::shared_ptr<prometheus::Registry>& registry);
  ~ServerImpl() override;

  absl::Status Begin(const std::shared_ptr<prometheus::Registry>& registry);

  std::string Address() const override;
  uint16_t port() const override { return acceptor_->port(); }
  void CloseAfterResponses() override;
  void Drain(Deadline deadline) override;

 private:
  // Gives the connection to the worker with the fewest: clients of a registry open few connections and keep them busy.
  void Place(OwnedFd fd, std::string remote_address, std::unique_ptr<ConnectionSlots::Slot> slot);
  void Refuse(OwnedFd fd);

  const Options options_;
  ServerMetrics metrics_;
  ConnectionSlots slots_;
  MemoryBudget memory_;
  std::unique_ptr<runtime::CertificateReloader> certificates_;
  std::optional<TrustedProxies> proxies_;
  ServerContext context_;
  // Destroyed from the last to the first: the acceptor uses the first worker's io_context, and jobs of the executor
  // resume coroutines of the workers.
  std::vector<std::unique_ptr<Worker>> workers_;
  size_t next_worker_ = 0;
  std::unique_ptr<runtime::Executor> executor_;
  std::unique_ptr<Acceptor> acceptor_;
  bool drained_ = false;
};

ServerImpl::ServerImpl(const Options& options, Handler* handler, const std::shared_ptr<prometheus::Registry>& registry)
    : options_(options),
      metrics_(registry),
      slots_({.max = options.limits.connections_max(), .per_source_max = options.limits.connections_per_address_max()},
             &metrics_.connections()),
      memory_(options.limits.body_memory_bytes_max(), registry),
      executor_(std::make_unique<runtime::Executor>(kFileThreads)) {
  const config::v1::Limits& limits = options.limits;
  context_.handler = handler;
  context_.header_bytes_max = limits.header_bytes_max();
  context_.uri_bytes_max = limits.uri_bytes_max();
  context_.authorization_bytes_max = limits.authorization_bytes_max();
  context_.token_query_bytes_max = limits.token_query_bytes_max();
  context_.idle_timeout = ToChrono(limits.idle_timeout());
  context_.header_timeout = ToChrono(limits.header_timeout());
  context_.meter = RateMeter({.bytes_per_second = limits.minimum_rate_bytes_per_second(),
                              .window = ToChrono(limits.minimum_rate_window()),
                              .silence_max = ToChrono(limits.silence_timeout())});
  context_.metrics = &metrics_;
  metrics_.connections_max().Set(static_cast<double>(limits.connections_max()));
  context_.slots = &slots_;
  context_.memory = &memory_;
  context_.executor = executor_.get();
}

ServerImpl::~ServerImpl() {
  if (acceptor_ != nullptr) Drain(Deadline::Passed());
  executor_.reset();
  acceptor_.reset();
  for (const auto& worker : workers_) worker->Stop();
  // Connections that were cut off release their slots when the workers are destroyed.
  slots_.set_on_free(nullptr);
}

absl::Status ServerImpl::Begin(const std::shared_ptr<prometheus::Registry>& registry) {
  if (options_.endpoint.has_tls()) {
    ASSIGN_OR_RETURN(certificates_, runtime::CertificateReloader::Create(options_.endpoint.tls(), registry));
    context_.certificates = certificates_.get();
  }
  ASSIGN_OR_RETURN(proxies_, TrustedProxies::Create(options_.endpoint));
  if (!proxies_->empty()) context_.proxies = &*proxies_;
  const size_t threads = options_.threads > 0 ? options_.threads : std::max(1u, std::thread::hardware_concurrency());
  for (size_t i = 0; i < threads; ++i) workers_.push_back(std::make_unique<Worker>(context_));
  asio::io_context& io = workers_.front()->io();
  ASSIGN_OR_RETURN(acceptor_, Acceptor::Create(
                                  io, options_.endpoint.address(), static_cast<uint16_t>(options_.endpoint.port()),
                                  &slots_, context_.proxies,
                                  [this](OwnedFd fd, std::string peer, std::unique_ptr<ConnectionSlots::Slot> slot) {
                                    Place(std::move(fd), std::move(peer), std::move(slot));
                                  },
                                  [this](OwnedFd fd) { Refuse(std::move(fd)); }));
  slots_.set_on_free([this, &io] { asio::post(io, [this] { acceptor_->Resume(); }); });
  asio::co_spawn(io, acceptor_->Run(), asio::detached);
  return absl::OkStatus();
}

std::string ServerImpl::Address() const {
  const std::string& address = options_.endpoint.address();
  const bool is_v6 = absl::StrContains(address, ":");
  return absl::StrCat(certificates_ == nullptr ? "http://" : "https://", is_v6 ? "[" : "", address, is_v6 ? "]" : "",
                      ":", port());
}

void ServerImpl::CloseAfterResponses() {
  for (const auto& worker : workers_) worker->CloseAfterResponses();
}

void ServerImpl::Drain(Deadline deadline) {
  if (std::exchange(drained_, true)) return;
  asio::post(workers_.front()->io(), [this, grace = std::min(kAcceptGrace, deadline.Left())] {
    acceptor_->Stop(absl::ToChronoNanoseconds(grace));
  });
  for (const auto& worker : workers_) worker->Drain();
  if (!slots_.WaitUntilNone(deadline)) {
    for (const auto& worker : workers_) worker->CutOff();
    slots_.WaitUntilNone(Deadline::After(kCutOffTime));
  }
  for (const auto& worker : workers_) worker->Stop();
}

void ServerImpl::Place(OwnedFd fd, std::string remote_address, std::unique_ptr<ConnectionSlots::Slot> slot) {
  next_worker_ = (next_worker_ + 1) % workers_.size();
  Worker* least = workers_[next_worker_].get();
  for (const auto& worker : workers_) {
    if (worker->connections() < least->connections()) least = worker.get();
  }
  least->Serve(std::move(fd), std::move(remote_address), std::move(slot));
}

void ServerImpl::Refuse(OwnedFd fd) {
  metrics_.CountRefusedConnection();
  if (certificates_ == nullptr) SendTooManyConnections(fd.get());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, Handler* handler,
                                                      const std::shared_ptr<prometheus::Registry>& registry) {
  const SigpipeBlocked sigpipe_blocked;
  auto server = std::make_unique<ServerImpl>(options, handler, registry);
  RETURN_IF_ERROR(server->Begin(registry));
  return server;
}

}  // namespace entrepot::gateway::http
