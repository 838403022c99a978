#ifndef ENTREPOT_SERVICES_KV_TESTING_TEST_ENGINE_H_
#define ENTREPOT_SERVICES_KV_TESTING_TEST_ENGINE_H_

#include <functional>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "services/kv/kv_engine.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/rocksdb/rocksdb_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"

namespace entrepot::kv {

// An engine that can be closed and reopened, for tests that run on each kind of engine.
class TestEngine {
 public:
  virtual ~TestEngine() = default;
  virtual KvEngine* get() = 0;
  // Committed writes are still there afterwards.
  virtual void Reopen() = 0;
};

class MemoryTestEngine : public TestEngine {
 public:
  KvEngine* get() override { return &engine_; }
  void Reopen() override {}

 private:
  MemoryKvEngine engine_;
};

class RocksDbTestEngine : public TestEngine {
 public:
  RocksDbTestEngine() { Reopen(); }
  KvEngine* get() override { return engine_.get(); }
  void Reopen() override {
    engine_.reset();
    RocksDbKvEngine::Options options;
    options.directory = directory_.path();
    engine_ = RocksDbKvEngine::Open(options).value();
  }

 private:
  const TemporaryDirectory directory_;
  std::unique_ptr<RocksDbKvEngine> engine_;
};

struct TestEngineKind {
  std::string name;
  std::function<std::unique_ptr<TestEngine>()> make;
};

inline auto EachTestEngine() {
  return testing::Values(TestEngineKind{"Memory", [] { return std::make_unique<MemoryTestEngine>(); }},
                         TestEngineKind{"RocksDb", [] { return std::make_unique<RocksDbTestEngine>(); }});
}

inline std::string TestEngineName(const testing::TestParamInfo<TestEngineKind>& info) { return info.param.name; }

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_TESTING_TEST_ENGINE_H_
