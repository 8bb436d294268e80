"""Which module names which."""


def find_arrows(modules):
    """For each module, the modules that it names, each with the file and line of the first place."""
    graph = {module.node: {} for module in modules.values()}
    for path, module in modules.items():
        for named in module.named:
            found = resolve(modules, path, named.segments)
            if found is None:
                continue
            target = modules[found[0]].node
            if target != module.node:
                graph[module.node].setdefault(target, (module.file, named.line))
    return graph


def resolve(modules, scope, segments, seen=frozenset()):
    """The last module that a path in `scope` names, and whether the path ends with it; `None` if it names none."""
    if not segments or (scope, segments) in seen:
        return None
    seen |= {(scope, segments)}
    start = first(modules, scope, segments[0], seen)
    if start is None:
        return None
    rest = list(segments[1:])
    while rest and rest[0] == "super" and start:
        start, rest = start[:-1], rest[1:]
    while rest and (*start, rest[0]) in modules:
        start, rest = (*start, rest[0]), rest[1:]
    return start, not rest


def first(modules, scope, name, seen):
    """The module that a path's first segment is."""
    if name == "crate":
        return ()
    if name == "self":
        return scope
    if name == "super":
        return scope[:-1]
    if (*scope, name) in modules:
        return (*scope, name)
    for named in modules[scope].named:
        if named.alias == name and named.segments != (name,):
            found = resolve(modules, scope, named.segments, seen)
            return found[0] if found and found[1] else None
    for named in modules[scope].named:
        if named.alias == "*":
            found = resolve(modules, scope, named.segments, seen)
            # Names that come with `use other::*`.
            if found and found[1] and found[0] != scope and (found[0], name) not in seen:
                inner = first(modules, found[0], name, seen | {(found[0], name)})
                if inner is not None:
                    return inner
    return None
