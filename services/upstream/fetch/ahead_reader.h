#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_AHEAD_READER_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_AHEAD_READER_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "services/upstream/fetch/fetch_progress.h"
#include "services/upstream/fetch/fetch_reader.h"
#include "services/upstream/fetch/range_request.h"

namespace entrepot::upstream {

// The least distance from the bytes that a fetch has to those of a reader for which the upstream is asked by a second
// request. A client that reads from the start is never ahead.
inline constexpr uint64_t kFarAheadBytes = 1 << 20;

// A reader of the fetch that does not wait for it if it is far ahead: it asks the upstream for its bytes by a second
// request, until the fetch has caught up. The last bytes of the blob come from the fetch in any case, once they are
// verified. If the second request fails, it waits for the fetch. `start` sends a request for the bytes from an offset
// to an end; null: none can be sent now.
std::unique_ptr<FetchReader> NewAheadReader(
    std::shared_ptr<FetchProgress> progress,
    std::function<std::shared_ptr<RangeRequest>(uint64_t offset_bytes, uint64_t end_bytes)> start);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_AHEAD_READER_H_
