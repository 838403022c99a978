#include "gateway/http/server/worker.h"

#include <algorithm>
#include <utility>

#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "gateway/http/server/connection.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

// How often the connections' deadlines and rates are checked: often enough for the shortest bound, at most twice a
// second. No read or write has to set a timer.
std::chrono::nanoseconds TickInterval(const ServerContext& server) {
  const RateMeter::Bounds& bounds = server.meter.bounds();
  const std::chrono::nanoseconds shortest =
      std::min({server.idle_timeout, server.header_timeout, std::chrono::nanoseconds(bounds.window),
                std::chrono::nanoseconds(bounds.silence_max)});
  return std::clamp<std::chrono::nanoseconds>(shortest / 8, std::chrono::milliseconds(2),
                                              std::chrono::milliseconds(500));
}

}  // namespace

// Keeps a connection in the worker's list.
class Worker::Registration {
 public:
  Registration(Worker* worker, Connection* connection) : worker_(worker), connection_(connection) {
    worker_->connections_.push_back(connection_);
  }
  ~Registration() {
    std::vector<Connection*>& all = worker_->connections_;
    *std::find(all.begin(), all.end(), connection_) = all.back();
    all.pop_back();
    worker_->connection_count_.fetch_sub(1, std::memory_order_relaxed);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

 private:
  Worker* const worker_;
  Connection* const connection_;
};

Worker::Worker(const ServerContext& server) : context_(server), work_(io_.get_executor()) {
  asio::co_spawn(io_, Tick(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
}

Worker::~Worker() = default;

void Worker::Serve(OwnedFd fd, std::string remote_address, std::unique_ptr<ConnectionSlots::Slot> slot) {
  connection_count_.fetch_add(1, std::memory_order_relaxed);
  slot->set_close([this](uint64_t id) { asio::post(io_, [this, id] { GiveWay(id); }); });
  asio::post(io_, [this, fd = std::move(fd), address = std::move(remote_address), slot = std::move(slot)]() mutable {
    asio::co_spawn(io_, Run(std::move(fd), std::move(address), std::move(slot)), asio::detached);
  });
}

void Worker::GiveWay(uint64_t slot_id) {
  for (Connection* connection : connections_) {
    if (connection->slot_id() == slot_id) return connection->GiveWay();
  }
}

void Worker::CloseAfterResponses() {
  asio::post(io_, [this] { context_.close_after_responses = true; });
}

void Worker::Drain() {
  asio::post(io_, [this] {
    context_.close_after_responses = context_.draining = true;
    for (Connection* connection : connections_) connection->Drain();
  });
}

void Worker::CutOff() {
  asio::post(io_, [this] {
    for (Connection* connection : connections_) connection->CutOff();
  });
}

void Worker::Stop() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

asio::awaitable<void> Worker::Tick() {
  asio::steady_timer timer(io_);
  const std::chrono::nanoseconds interval = TickInterval(context_.server);
  while (true) {
    timer.expires_after(interval);
    boost::system::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    const auto now = RateMeter::Clock::now();
    for (Connection* connection : connections_) connection->OnTick(now);
  }
}

asio::awaitable<void> Worker::Run(OwnedFd fd, std::string remote_address, std::unique_ptr<ConnectionSlots::Slot> slot) {
  Connection connection(&context_, io_, std::move(fd), std::move(remote_address), std::move(slot));
  const Registration registration(this, &connection);
  co_await connection.Run();
}

}  // namespace entrepot::gateway::http
