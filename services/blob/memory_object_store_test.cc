#include "services/blob/memory_object_store.h"

#include <memory>

#include "gtest/gtest.h"
#include "services/blob/object_store_conformance.h"

namespace entrepot::blob {

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance,
                         testing::Values([] { return std::make_shared<MemoryObjectStore>(); }));

}  // namespace entrepot::blob
