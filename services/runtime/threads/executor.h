#ifndef ENTREPOT_SERVICES_RUNTIME_THREADS_EXECUTOR_H_
#define ENTREPOT_SERVICES_RUNTIME_THREADS_EXECUTOR_H_

#include <atomic>
#include <cstddef>
#include <utility>

#include "boost/asio/post.hpp"
#include "boost/asio/thread_pool.hpp"

namespace entrepot::runtime {

// A fixed number of threads for work that blocks (synced writes, transactions), so that the threads of an io_context do
// not block. Jobs start in the order in which they are posted. The queue is unbounded: each caller must bound the
// number of its jobs (for the gateway, connections_max does), and queue_depth() shows the length of the queue.
//
// Thread-safe. A job must not throw: an exception ends the process.
class Executor {
 public:
  explicit Executor(size_t threads);
  // Runs all posted jobs, then ends the threads. Everything that a job refers to must outlive the executor.
  ~Executor();

  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // `job` is any callable void(), which may be move-only.
  template <typename Job>
  void Post(Job job) {
    queued_.fetch_add(1, std::memory_order_relaxed);
    boost::asio::post(pool_, [this, job = std::move(job)]() mutable {
      queued_.fetch_sub(1, std::memory_order_relaxed);
      busy_.fetch_add(1, std::memory_order_relaxed);
      job();
      busy_.fetch_sub(1, std::memory_order_relaxed);
    });
  }

  size_t threads() const { return threads_; }
  // The number of jobs that wait for a thread, and of jobs that have one, approximately.
  size_t queue_depth() const { return queued_.load(std::memory_order_relaxed); }
  size_t threads_busy() const { return busy_.load(std::memory_order_relaxed); }

 private:
  const size_t threads_;
  std::atomic<size_t> queued_{0};
  std::atomic<size_t> busy_{0};
  boost::asio::thread_pool pool_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_THREADS_EXECUTOR_H_
