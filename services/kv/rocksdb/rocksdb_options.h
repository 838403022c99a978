#ifndef ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPTIONS_H_
#define ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPTIONS_H_

#include <cstddef>
#include <memory>

#include "rocksdb/env.h"
#include "rocksdb/listener.h"
#include "rocksdb/options.h"

namespace entrepot::kv {

// The settings of decisions/2026-11-24-rocksdb-settings.md, where each has its reason.
rocksdb::Options MakeRocksDbOptions(size_t memory_bytes_max, std::shared_ptr<rocksdb::EventListener> listener,
                                    std::shared_ptr<rocksdb::Logger> logger);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_ROCKSDB_ROCKSDB_OPTIONS_H_
