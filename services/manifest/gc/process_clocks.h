#ifndef ENTREPOT_SERVICES_MANIFEST_GC_PROCESS_CLOCKS_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_PROCESS_CLOCKS_H_

#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"

namespace entrepot::manifest {

// Compares the clocks of the processes that write the same records. One process writes leases by its clock, and another
// one ends them by its own: if the clocks differ, leases end early. Each process notes its clock in the record g/clock
// every kInterval, and looks at what the others have noted. Not thread-safe.
class ProcessClocks {
 public:
  static constexpr absl::Duration kInterval = absl::Minutes(1);
  // Clocks that differ by less are taken for equal.
  static constexpr absl::Duration kDifferenceMax = absl::Minutes(5);
  // An entry that is younger was written by a process that runs. Of an older one it is not known whether its process
  // has ended or its clock is wrong, until it has been watched for this long.
  static constexpr absl::Duration kWatchedFor = absl::Minutes(2);

  // `process`: the name of this process.
  explicit ProcessClocks(std::string process) : process_(std::move(process)) {}

  // Looks at the entries of `record`, and notes this process's own. `now` is by the clock that is compared,
  // `since_boot` by one that cannot be set.
  void Exchange(absl::Time now, absl::Duration since_boot, storage::v1::ClockRecord* record);

  // OK if the last Exchange() found all clocks of running processes equal to this one. kFailedPrecondition: they
  // differ, or it is not known yet.
  absl::Status Check() const;

 private:
  enum class Finding { kEqual, kDifferent, kUnknown, kEnded };
  struct Other {
    absl::Time seen_at = {};
    // When `seen_at` was first seen, by the clock that cannot be set.
    absl::Duration since = {};
    Finding finding = Finding::kUnknown;
    absl::Duration difference = {};
  };

  // The entry is new, or has changed since the last Exchange(), which was `elapsed` ago.
  static Other LookAt(absl::Time seen_at, absl::Time now, absl::Duration elapsed);

  const std::string process_;
  absl::Duration exchanged_at_;
  std::map<std::string, Other> others_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_PROCESS_CLOCKS_H_
