#ifndef ENTREPOT_GATEWAY_HTTP_WORKER_H_
#define ENTREPOT_GATEWAY_HTTP_WORKER_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "boost/asio/awaitable.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "gateway/http/connection_slots.h"
#include "gateway/http/handler.h"
#include "gateway/http/http_date.h"
#include "gateway/http/rate_meter.h"
#include "gateway/http/request_head.h"
#include "gateway/http/request_id.h"
#include "gateway/http/server_metrics.h"
#include "services/core/files/owned_fd.h"
#include "services/runtime/threads/executor.h"
#include "services/runtime/tls/certificate_reloader.h"

namespace entrepot::gateway::http {

class Connection;

// What all workers of a server share. What it points to outlives the connections.
struct Shared {
  Handler* handler = nullptr;
  RequestHead::Limits head_limits;
  std::chrono::nanoseconds idle_timeout{};
  std::chrono::nanoseconds header_timeout{};
  RateMeter meter{0, {}};
  ServerMetrics* metrics = nullptr;
  ConnectionSlots* slots = nullptr;
  runtime::Executor* executor = nullptr;                 // Reads files that are not in memory.
  runtime::CertificateReloader* certificates = nullptr;  // Null: plain HTTP.
};

// One thread, its io_context, and the connections that live on it, with what they share and need no lock for.
class Worker {
 public:
  explicit Worker(const Shared& shared);
  // Stop() came before.
  ~Worker();

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // From any thread.
  boost::asio::io_context& io() { return io_; }
  size_t connections() const { return connection_count_.load(std::memory_order_relaxed); }
  // Serves a connection that has a slot and belongs to this worker from now on.
  void Serve(OwnedFd fd, std::string remote_address);
  // Closes connections that are idle; the others end with their request.
  void Drain();
  // Ends every connection's reading and writing.
  void CutOff();
  // Ends the thread, whatever is under way. What was under way is destroyed with the worker.
  void Stop();

  // For connections, on the worker's thread.
  const Shared& shared() const { return shared_; }
  bool draining() const { return draining_; }
  HttpDate& date() { return date_; }
  RequestIdSource& request_ids() { return request_ids_; }
  RequestMetrics& metrics() { return metrics_; }
  void Add(Connection* connection);
  void Remove(Connection* connection);

 private:
  boost::asio::awaitable<void> Tick();
  boost::asio::awaitable<void> Run(OwnedFd fd, std::string remote_address);

  const Shared shared_;
  std::atomic<size_t> connection_count_{0};
  std::vector<Connection*> connections_;
  bool draining_ = false;
  HttpDate date_;
  RequestIdSource request_ids_;
  RequestMetrics metrics_;
  // After what coroutines refer to: destroying it destroys those that are left.
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_WORKER_H_
