#ifndef ENTREPOT_SERVICES_RUNTIME_THREADS_EXECUTOR_H_
#define ENTREPOT_SERVICES_RUNTIME_THREADS_EXECUTOR_H_

#include <atomic>
#include <cstddef>
#include <utility>

#include "boost/asio/post.hpp"
#include "boost/asio/thread_pool.hpp"

namespace entrepot::runtime {

// A fixed number of threads for work that blocks (synced writes, transactions), so that no io_context's thread does.
// Jobs start in the order of their posting. The queue has no bound of its own: each caller bounds what it has under way
// (connections_max does so for the gateway), and queue_depth() shows it.
//
// Safe from any thread. A job must not throw: the process would end.
class Executor {
 public:
  explicit Executor(size_t threads);
  // Runs what was posted, then ends the threads. Whatever a job refers to must outlive this.
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
  // Jobs that wait for a thread, and jobs that have one, about now.
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
