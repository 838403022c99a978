#include "gateway/http/worker.h"

#include <algorithm>
#include <utility>

#include "boost/asio/co_spawn.hpp"
#include "boost/asio/detached.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/steady_timer.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "gateway/http/connection.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;

// How often the connections' bounds are looked at: finely enough for the shortest, at most twice a second, so that no
// read or write has to set a timer.
std::chrono::nanoseconds TickInterval(const Shared& shared) {
  const std::chrono::nanoseconds shortest =
      std::min({shared.idle_timeout, shared.header_timeout, std::chrono::nanoseconds(shared.meter.window())});
  return std::clamp<std::chrono::nanoseconds>(shortest / 8, std::chrono::milliseconds(2),
                                              std::chrono::milliseconds(500));
}

}  // namespace

Worker::Worker(const Shared& shared) : shared_(shared), metrics_(shared.metrics), work_(io_.get_executor()) {
  asio::co_spawn(io_, Tick(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
}

Worker::~Worker() = default;

void Worker::Serve(OwnedFd fd, std::string remote_address) {
  connection_count_.fetch_add(1, std::memory_order_relaxed);
  asio::post(io_, [this, fd = std::move(fd), address = std::move(remote_address)]() mutable {
    asio::co_spawn(io_, Run(std::move(fd), std::move(address)), asio::detached);
  });
}

void Worker::Drain() {
  asio::post(io_, [this] {
    draining_ = true;
    for (Connection* connection : connections_) connection->EndIfIdle();
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

void Worker::Add(Connection* connection) { connections_.push_back(connection); }

void Worker::Remove(Connection* connection) {
  auto found = std::find(connections_.begin(), connections_.end(), connection);
  *found = connections_.back();
  connections_.pop_back();
  connection_count_.fetch_sub(1, std::memory_order_relaxed);
  shared_.slots->Release();
}

asio::awaitable<void> Worker::Tick() {
  asio::steady_timer timer(io_);
  const std::chrono::nanoseconds interval = TickInterval(shared_);
  while (true) {
    timer.expires_after(interval);
    boost::system::error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    const auto now = RateMeter::Clock::now();
    for (Connection* connection : connections_) connection->OnTick(now);
  }
}

asio::awaitable<void> Worker::Run(OwnedFd fd, std::string remote_address) {
  Connection connection(this, std::move(fd), std::move(remote_address));
  co_await connection.Run();
}

}  // namespace entrepot::gateway::http
