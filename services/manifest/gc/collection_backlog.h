#ifndef ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_BACKLOG_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_BACKLOG_H_

#include <atomic>
#include <cstdint>

namespace entrepot::manifest {

// The work of the collector that was due when the part of its run that is under way began. The pace follows it.
// Thread-safe.
class CollectionBacklog {
 public:
  // The time in which the work of one part of a run is to be done. Garbage passes twice through the queue (it is
  // condemned, then deleted), and waits for the part under way each time: together they take a minute at most.
  static constexpr uint64_t kTargetSeconds = 15;

  void Set(uint64_t operations) { operations_.store(operations, std::memory_order_relaxed); }
  uint64_t OperationsPerSecond() const { return operations_.load(std::memory_order_relaxed) / kTargetSeconds; }

 private:
  std::atomic<uint64_t> operations_ = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_COLLECTION_BACKLOG_H_
