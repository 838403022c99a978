#ifndef ENTREPOT_TESTS_SIMULATION_PROCESS_H_
#define ENTREPOT_TESTS_SIMULATION_PROCESS_H_

#include <string>
#include <utility>

namespace entrepot::simulation {

// One run of a process. After its death, its calls have no effect and return kUnavailable, so that its code ends as if
// it had not continued.
struct Process {
  explicit Process(std::string process_name) : name(std::move(process_name)) {}

  const std::string name;
  bool alive = true;
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_PROCESS_H_
