#ifndef ENTREPOT_GATEWAY_HTTP_CONNECTION_SLOTS_H_
#define ENTREPOT_GATEWAY_HTTP_CONNECTION_SLOTS_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "prometheus/gauge.h"
#include "services/core/time/deadline.h"

namespace entrepot::gateway::http {

// The open connections: their number, and which of them give way if there are too many. Thread-safe.
//
// - While there is room, every connection gets a slot, however many its source has: a NAT or a reverse proxy with many
//   clients may be behind one address.
// - While less than an eighth is free, a source that has used up its share (Limits::per_source_max) gets a slot only in
//   exchange for one of its own connections that wait for a request. If none waits, the connection is refused. So one
//   source cannot take the last eighth.
// - If no slot is free, connections that wait for a request are closed: those of the source with the most connections
//   first, and of these the ones that have waited longest. A connection with a request under way is never closed.
class ConnectionSlots {
 public:
  using Clock = std::chrono::steady_clock;

  struct Limits {
    size_t max = 0;             // limits.connections_max
    size_t per_source_max = 0;  // limits.connections_per_address_max
  };

  // The slot of one connection. Gives it back when it is destroyed. A slot begins as waiting.
  class Slot {
   public:
    ~Slot();
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    uint64_t id() const { return id_; }

    // For the connection's thread. Whether the connection waits for a request (or TLS's handshake), so that it may be
    // closed if slots are needed.
    void SetWaiting(Clock::time_point since) { waiting_since_.store(Ticks(since), std::memory_order_relaxed); }
    void SetBusy() { waiting_since_.store(kBusy, std::memory_order_relaxed); }
    bool is_waiting() const { return waiting_since_.load(std::memory_order_relaxed) != kBusy; }

    // `close` is called with the id, under a lock and on any thread, if the slot is needed. It must soon lead to the
    // slot's end, or to KeepOpen() if a request has arrived meanwhile.
    void set_close(std::function<void(uint64_t id)> close);
    void KeepOpen() { asked_.store(false, std::memory_order_relaxed); }

   private:
    friend class ConnectionSlots;
    static constexpr int64_t kBusy = INT64_MAX;
    struct Source {
      std::string name;
      size_t open = 0;
    };

    Slot(ConnectionSlots* slots, uint64_t id, Source* source)
        : slots_(slots), id_(id), source_(source), waiting_since_(Ticks(Clock::now())) {}
    static int64_t Ticks(Clock::time_point time) { return time.time_since_epoch().count(); }

    ConnectionSlots* const slots_;
    const uint64_t id_;
    Source* const source_;
    size_t index_ = 0;                        // In slots_->all_.
    std::function<void(uint64_t id)> close_;  // Guarded by slots_->mutex_.
    std::atomic<int64_t> waiting_since_;      // kBusy, or the ticks of the clock.
    std::atomic<bool> asked_{false};          // close_ was called.
  };

  enum class Outcome {
    kTaken,
    kWait,     // Try again when `on_free` is called, or a little later: a connection may have turned idle.
    kRefused,  // The source has used up its share.
  };

  // `open` shows the number of open connections and must outlive this.
  ConnectionSlots(const Limits& limits, prometheus::Gauge* open) : limits_(limits), open_gauge_(open) {}
  // No slot is taken any more.
  ~ConnectionSlots() = default;

  // If Take() calls have to wait, the end of the next slot calls `on_free`, once for all of them. Set it before the
  // first Take().
  void set_on_free(std::function<void()> on_free) { on_free_ = std::move(on_free); }

  // `source`: the address of the client, as text. The empty source has no share: its connections count only in sum.
  // Sets `*slot` if the outcome is kTaken.
  Outcome Take(const std::string& source, std::unique_ptr<Slot>* slot);

  // Closes some connections that wait for a request, because something else than slots is short.
  void MakeRoom();

  // No connection will come any more.
  void CloseEntrance();
  // Waits until no connection is open and none will come; false if the deadline passes first.
  bool WaitUntilNone(Deadline deadline);

 private:
  using Source = Slot::Source;

  bool IsScarce() const { return all_.size() >= limits_.max - limits_.max / 8; }
  // Asks some waiting connections to close, of this source or, if it is null, of all. Returns whether any is asked.
  bool AskToClose(const Source* only);
  void LogLimit(const char* setting, size_t limit, const std::string& source, size_t connections);
  void Release(Slot* slot);

  const Limits limits_;
  prometheus::Gauge* const open_gauge_;
  std::function<void()> on_free_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_, like all below.
  std::vector<Slot*> all_;
  std::unordered_map<std::string, std::unique_ptr<Source>> sources_;
  uint64_t next_id_ = 0;
  bool wanted_ = false;
  bool entrance_closed_ = false;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_CONNECTION_SLOTS_H_
