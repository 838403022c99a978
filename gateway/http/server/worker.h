#ifndef ENTREPOT_GATEWAY_HTTP_SERVER_WORKER_H_
#define ENTREPOT_GATEWAY_HTTP_SERVER_WORKER_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "boost/asio/awaitable.hpp"
#include "boost/asio/executor_work_guard.hpp"
#include "boost/asio/io_context.hpp"
#include "gateway/http/connection_slots.h"
#include "gateway/http/worker_context.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http {

class Connection;

// One thread, its io_context, and the connections that it serves.
class Worker {
 public:
  explicit Worker(const ServerContext& server);
  // Requires an earlier Stop().
  ~Worker();

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // All of these may be called on any thread.
  boost::asio::io_context& io() { return io_; }
  size_t connections() const { return connection_count_.load(std::memory_order_relaxed); }
  // Serves a connection, and gives its slot back at its end.
  void Serve(OwnedFd fd, std::string remote_address, std::unique_ptr<ConnectionSlots::Slot> slot);
  // Ends each connection after its next response, or the one under way.
  void CloseAfterResponses();
  // Closes idle connections; the others end after the request under way.
  void Drain();
  // Ends every connection's reading and writing.
  void CutOff();
  // Ends the thread. Requests under way are destroyed with the worker.
  void Stop();

 private:
  class Registration;

  boost::asio::awaitable<void> Tick();
  boost::asio::awaitable<void> Run(OwnedFd fd, std::string remote_address, std::unique_ptr<ConnectionSlots::Slot> slot);
  // Asks the connection with this slot to give way.
  void GiveWay(uint64_t slot_id);

  std::atomic<size_t> connection_count_{0};
  std::vector<Connection*> connections_;
  WorkerContext context_;
  // Declared after everything that coroutines refer to: its destructor destroys the coroutines that are left.
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_WORKER_H_
