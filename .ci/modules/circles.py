"""Circles in a graph of modules."""

from collections import deque


def find_circles(graph):
    """Circles as lists of arrows, such that each module that is in some circle is in one of these, as short as can be."""
    shown, circles = set(), []
    for node in sorted(graph):
        if node in shown:
            continue
        circle = shortest_circle(graph, node)
        if circle:
            shown.update(source for source, _, _ in circle)
            circles.append(circle)
    return circles


def shortest_circle(graph, start):
    """The shortest way from a node back to itself, arrow by arrow; `None` if there is none."""
    came_from, queue = {}, deque([start])
    while queue:
        node = queue.popleft()
        for target, place in sorted(graph[node].items()):
            if target == start:
                arrows = [(node, target, place)]
                while node != start:
                    node, place = came_from[node]
                    arrows.insert(0, (node, arrows[0][0], place))
                return arrows
            if target not in came_from:
                came_from[target] = (node, place)
                queue.append(target)
    return None
