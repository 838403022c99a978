#ifndef ENTREPOT_SERVICES_RUNTIME_HEAP_H_
#define ENTREPOT_SERVICES_RUNTIME_HEAP_H_

#include <cstddef>

#include "services/runtime/threads/periodic_task.h"

namespace entrepot::runtime {

// Keeps the size of the heap close to the memory in use. Call it once, before the process has many threads.
void BoundHeap();

// Gives memory of the heap that is resident but not in use back to the system.
class HeapTrim {
 public:
  // The least memory that is worth a trim, which holds up allocations for some milliseconds.
  static constexpr size_t kWorthBytes = size_t{64} << 20;

  // Trims the heap if it has at least kWorthBytes more to give back than the last trim left. Returns whether it did.
  bool TrimIfWorthIt();

 private:
  // What the last trim could not give back: free memory between blocks in use.
  size_t left_bytes_ = 0;
};

// Calls TrimIfWorthIt() every 10 seconds: small blocks that a burst of requests leaves behind stay with the process
// otherwise.
class HeapTrimmer {
 public:
  HeapTrimmer();

 private:
  HeapTrim trim_;
  const PeriodicTask task_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_HEAP_H_
