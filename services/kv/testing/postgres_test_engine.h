#ifndef ENTREPOT_SERVICES_KV_TESTING_POSTGRES_TEST_ENGINE_H_
#define ENTREPOT_SERVICES_KV_TESTING_POSTGRES_TEST_ENGINE_H_

#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "services/kv/postgres/postgres_kv_engine.h"
#include "services/kv/testing/postgres_server.h"
#include "services/kv/testing/test_engine.h"

namespace entrepot::kv {

// A new database of this process's private PostgreSQL.
class PostgresTestEngine : public TestEngine {
 public:
  PostgresTestEngine() { Reopen(); }
  ~PostgresTestEngine() override {
    engine_.reset();
    PostgresServer::Shared().Recycle(database_);
  }

  KvEngine* get() override { return engine_.get(); }
  void Reopen() override {
    engine_.reset();
    engine_ = OpenAnother();
  }
  // An engine of another process over the same records.
  std::unique_ptr<PostgresKvEngine> OpenAnother() const {
    PostgresKvEngine::Options options;
    options.address = PostgresServer::Shared().Address(database_);
    return PostgresKvEngine::Open(options).value();
  }

 private:
  const std::string database_ = PostgresServer::Shared().NewDatabase();
  std::unique_ptr<PostgresKvEngine> engine_;
};

inline TestEngineKind PostgresTestEngineKind() {
  return {"Postgres", [] { return std::make_unique<PostgresTestEngine>(); }};
}

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_TESTING_POSTGRES_TEST_ENGINE_H_
