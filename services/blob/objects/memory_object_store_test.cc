#include "services/blob/objects/memory_object_store.h"

#include <memory>

#include "gtest/gtest.h"
#include "services/blob/objects/object_store_conformance.h"

namespace entrepot::blob {

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance,
                         testing::Values([] { return std::make_shared<MemoryObjectStore>(); }));

}  // namespace entrepot::blob
